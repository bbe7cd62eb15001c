import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import {
  everyRetryAfter,
  forbidden,
  notFound,
  quotaExceeded,
  serverError,
  tokenError,
  tooManyRequests,
  unauthorized,
  unauthorizedWordings,
} from '../../src/simulator/spotify-errors.ts'
import { refresh, start } from './start.ts'

const on = '/me'

t.test('a 429 has every kind of Retry-After', async (t) => {
  const { simulator } = await start(t)
  const nowMs = Date.UTC(2026, 10, 24, 12)
  const expected = {
    seconds: ['7'],
    hours: ['48925'],
    zero: ['0'],
    negative: ['-5'],
    none: [],
    date: ['Tue, 24 Nov 2026 12:01:30 GMT'],
    'past date': ['Tue, 24 Nov 2026 11:58:30 GMT'],
    fraction: ['1.5'],
    'two headers': ['3', '120'],
    'two in one header': ['3, 120'],
    rubbish: ['soon'],
  }
  const given = everyRetryAfter(nowMs)
  t.same(Object.keys(given), Object.keys(expected))
  for (const [kind, value] of Object.entries(given)) {
    simulator.faults.add({ on, fault: tooManyRequests(value) })
    const asked = request(`${simulator.apiUrl}/me`).end()
    const [answer] = await once(asked, 'response')
    answer.resume()
    t.equal(answer.statusCode, 429)
    const headers: string[] = answer.rawHeaders
    const values = headers.filter((_, at) => headers[at - 1]?.toLowerCase() === 'retry-after')
    t.same(values, expected[kind as keyof typeof expected], kind)
  }
})

t.test('a 429 has every body that was seen', async (t) => {
  const { simulator, get } = await start(t)
  const expected = {
    json: '{"error":{"status":429,"message":"API rate limit exceeded"}}',
    text: 'Too many requests',
    quota: '{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}',
    empty: '',
    gzip: '{"error":{"status":429,"message":"API rate limit exceeded"}}',
  } as const
  for (const [body, text] of Object.entries(expected)) {
    simulator.faults.add({ on, fault: tooManyRequests(1, body as keyof typeof expected) })
    const answer = await get('/me')
    t.equal(answer.status, 429)
    t.equal(answer.headers.get('content-encoding'), body === 'gzip' ? 'gzip' : null)
    t.equal(await answer.text(), text, body)
  }
  simulator.faults.add({ on, fault: quotaExceeded() })
  const answer = await get('/me')
  t.equal(answer.headers.get('retry-after'), '48925')
  t.match(await answer.json(), { error: { reason: 'QUOTA_EXCEEDED' } })
})

t.test('faults of the server come in JSON, HTML and plain text', async (t) => {
  const { simulator, get } = await start(t)
  for (const status of [500, 502, 503, 504]) {
    for (const [form, type] of [
      ['json', /json/],
      ['html', /html/],
      ['text', /plain/],
    ] as const) {
      simulator.faults.add({ on, fault: serverError(status, form) })
      const answer = await get('/me')
      t.equal(answer.status, status)
      t.match(answer.headers.get('content-type'), type)
      t.ok((await answer.text()).length > 5)
    }
  }
})

t.test('refusals come in Spotify’s words', async (t) => {
  const { simulator, get } = await start(t)
  const json = (status: number, message: string) => JSON.stringify({ error: { status, message } })
  const cases = [
    [notFound(), 404, json(404, 'Resource not found')],
    ...unauthorizedWordings.map((words) => [unauthorized(words), 401, json(401, words)] as const),
    [forbidden('scope'), 403, json(403, 'Insufficient client scope')],
    [forbidden('removed'), 403, json(403, 'Forbidden')],
    [forbidden('country'), 403, json(403, 'Spotify is unavailable in this country')],
    [forbidden('not-registered'), 403, 'User not registered in the Developer Dashboard'],
    [forbidden('check-settings'), 403, /^Check settings/],
    [forbidden('not-approved'), 403, 'User not approved for app'],
    [forbidden('premium'), 403, /^Active premium subscription required for the owner of the app\./],
  ] as const
  for (const [fault, status, text] of cases) {
    simulator.faults.add({ on, fault })
    const answer = await get('/me')
    t.equal(answer.status, status)
    t.match(await answer.text(), text)
  }
  simulator.faults.add({
    on: '/api/token',
    fault: tokenError('invalid_grant', 'Refresh token expired'),
  })
  const answer = await refresh(simulator)
  t.equal(answer.status, 400)
  t.same(await answer.json(), {
    error: 'invalid_grant',
    error_description: 'Refresh token expired',
  })
})
