import t from 'tap'
import { formatOf, mediaTypes } from '../../src/routes/format.ts'
import { ask } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'

const lines = mediaTypes.ndjson
const json = mediaTypes.json

const cases = {
  'lines for a reader that prefers them': {
    ndjson: [
      lines,
      `${lines}, ${json};q=0.9`,
      `${json};q=0.9,${lines}`,
      `text/html, ${json};q=0.1, ${lines};q=0.2`,
      `${lines};q=0.001`,
      `${lines};q=1.000, ${json};q=0.999`,
      `${json};q=0.5, ${json};q=0.4, ${lines};q=0.6`,
    ],
    json: [json, `${json}, ${lines};q=0.9`, `${lines};q=0.2, ${json};q=0.3`],
  },
  'JSON on a tie and for what is not known': {
    ndjson: [],
    json: [
      undefined,
      '',
      ' ',
      ',',
      `${json}, ${lines}`,
      `${lines}, ${json}`,
      `${lines};q=0.5, ${json};q=0.5`,
      `${lines};q=0`,
      `${json};q=0`,
      `${json};q=0, ${lines};q=0`,
      'text/html',
      'application/xml, text/*',
      'application/problem+json',
    ],
  },
  'a wildcard says it for what is not named': {
    ndjson: [
      `*/*;q=0.1, ${lines}`,
      `application/*;q=0.1, ${lines};q=0.2`,
      `${json};q=0, */*`,
      `${json};q=0.1, application/*;q=0.2`,
      `*/*;q=0.9, application/*;q=0.1, ${lines};q=0.2`,
    ],
    json: [
      '*/*',
      'application/*',
      'text/html, */*;q=0.8',
      `${lines};q=0.5, */*`,
      `${lines};q=0.5, application/*;q=0.6`,
      `${lines};q=0, */*;q=0.1`,
    ],
  },
  'case, spaces and other parameters make no difference': {
    ndjson: [
      'Application/X-NDJSON',
      `  ${lines} ; charset=utf-8 ; Q=0.5 ,\t${json} ; q=0.4`,
      `${lines};profile="a,b"`,
      `${json};charset=utf-8;q=0.1, ${lines};charset=utf-8;q=0.2`,
    ],
    json: [`${lines};charset=utf-8;q=0.1, ${json};charset=utf-8;q=0.2`],
  },
  'rubbish prefers nothing': {
    ndjson: [`rubbish, ;;;q=, ${lines}`, `${json};q=rubbish, ${lines};q=0.1`],
    json: [
      'rubbish',
      ';q=1',
      'q=1',
      `${lines}x`,
      `x${lines}`,
      'x-ndjson',
      `text/html;x="${lines}`,
      `${lines};q=rubbish`,
      `${lines};q=`,
      `${lines};q=-1`,
      `${lines};q=1.5`,
      `${lines};q=Infinity`,
      `${lines};q=NaN`,
      '\u2028'.repeat(1000),
    ],
  },
} as const

for (const [behaviour, formats] of Object.entries(cases)) {
  t.test(behaviour, async (t) => {
    for (const [format, headers] of Object.entries(formats)) {
      for (const accept of headers) t.equal(formatOf(accept), format, `Accept: ${accept}`)
    }
  })
}

t.test('a format that is asked for beats the Accept header, for HEAD as for GET', async (t) => {
  const { app } = await build(t)
  for (const [format, mediaType] of Object.entries(mediaTypes)) {
    for (const accept of [undefined, json, lines, `${json};q=0`, `${lines};q=0`, 'rubbish']) {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await ask(app, {
          method,
          url: `/tables/user_profile/read?format=${format}`,
          headers: { host: 'localhost', ...(accept && { accept }) },
        })
        const what = `${method} ${format}, Accept: ${accept}`
        t.equal(answer.status, 200, what)
        t.equal(answer.headers['content-type'], `${mediaType}; charset=utf-8`, what)
        if (method === 'HEAD') t.equal(answer.text, '', what)
        else t.match(answer.text, format === 'json' ? /^\{"records":\[/ : /^\{"record":\{/, what)
      }
    }
  }
})

t.test('HEAD says the media type that GET would have', async (t) => {
  const { app } = await build(t)
  for (const accept of [json, lines, '*/*', `*/*;q=0.1, ${lines}`, 'text/html']) {
    const [get, head] = await Promise.all(
      (['GET', 'HEAD'] as const).map((method) =>
        ask(app, {
          method,
          url: '/tables/user_profile/read',
          headers: { host: 'localhost', accept },
        }),
      ),
    )
    t.equal(get?.headers['content-type'], `${mediaTypes[formatOf(accept)]}; charset=utf-8`)
    t.equal(head?.headers['content-type'], get?.headers['content-type'], accept)
  }
})
