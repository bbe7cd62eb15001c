import t from 'tap'
import { ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'

const read = '/tables/tracks/read'
const top = '/tables/top_tracks/read'
const readParameters = 'offset, limit, max_pages, time_range, connection, format'
const number = 'a plain whole number from 1 to 50'
const once = 'one value, given once'
const digits = '9'.repeat(400)

/** What is given, the parameter that it is given for, its value as it is told back, what is allowed. */
type Kind = [url: string, parameter: string, given: string, allowed: string | string[]]

const kinds: Kind[] = [
  [`${read}?limit=0`, 'limit', '0', number],
  [`${read}?limit=51`, 'limit', '51', number],
  [`${read}?limit=-1`, 'limit', '-1', number],
  [`${read}?limit=-0`, 'limit', '-0', number],
  [`${read}?limit=1.0`, 'limit', '1.0', number],
  [`${read}?limit=1.`, 'limit', '1.', number],
  [`${read}?limit=1e1`, 'limit', '1e1', number],
  [`${read}?limit=0x10`, 'limit', '0x10', number],
  [`${read}?limit=0b1`, 'limit', '0b1', number],
  [`${read}?limit=%2B5`, 'limit', '+5', number],
  [`${read}?limit=+5`, 'limit', ' 5', number],
  [`${read}?limit=%205`, 'limit', ' 5', number],
  [`${read}?limit=5%20`, 'limit', '5 ', number],
  [`${read}?limit=5%0A`, 'limit', '5\n', number],
  [`${read}?limit=5%00`, 'limit', '5\0', number],
  [`${read}?limit=05`, 'limit', '05', number],
  [`${read}?limit=1_0`, 'limit', '1_0', number],
  [`${read}?limit=1,0`, 'limit', '1,0', number],
  [`${read}?limit=%D9%A3`, 'limit', '٣', number],
  [`${read}?limit=%EF%BC%95`, 'limit', '５', number],
  [`${read}?limit=${digits}`, 'limit', digits, number],
  [`${read}?limit=Infinity`, 'limit', 'Infinity', number],
  [`${read}?limit=NaN`, 'limit', 'NaN', number],
  [`${read}?limit=null`, 'limit', 'null', number],
  [`${read}?limit=true`, 'limit', 'true', number],
  [`${read}?limit=`, 'limit', '', number],
  [`${read}?limit`, 'limit', '', number],
  [`${read}?limit=%ff`, 'limit', '%ff', number],
  [`${read}?limit=%`, 'limit', '%', number],
  [`${read}?limit=%ED%A0%80`, 'limit', '%ED%A0%80', number],
  [`${read}?limit=5;max_pages=1`, 'limit', '5;max_pages=1', number],
  ['/tables/recently_played/read?limit=0', 'limit', '0', number],
  ['/tables/user_profile/read?limit=51', 'limit', '51', number],
  [`${read}?max_pages=0`, 'max_pages', '0', 'a plain whole number from 1 to 9007199254740991'],
  [`${read}?max_pages=-3`, 'max_pages', '-3', 'a plain whole number from 1'],
  [`${read}?max_pages=2.5`, 'max_pages', '2.5', 'a plain whole number from 1'],
  [`${read}?max_pages=9007199254740992`, 'max_pages', '9007199254740992', 'to 9007199254740991'],
  [`${read}?max_pages=${digits}`, 'max_pages', digits, 'a plain whole number from 1'],
  [`${top}?time_range=ever`, 'time_range', 'ever', 'short_term, medium_term, long_term'],
  [`${top}?time_range=SHORT_TERM`, 'time_range', 'SHORT_TERM', 'short_term, medium_term'],
  [`${top}?time_range=`, 'time_range', '', 'short_term, medium_term, long_term'],
  [`${top}?time_range=constructor`, 'time_range', 'constructor', 'short_term, medium_term'],
  [`${read}?time_range=short_term`, 'time_range', 'short_term', ['limit', 'max_pages']],
  ['/tables/user_profile/read?max_pages=1', 'max_pages', '1', ['limit']],
  [`${read}?connection=`, 'connection', '', "a connection's name"],
  [`${read}?format=xml`, 'format', 'xml', 'json'],
  [`${read}?format=JSON`, 'format', 'JSON', 'json'],
  [`${read}?format=`, 'format', '', 'json'],
  ['/tables/tracks/schema?format=xml', 'format', 'xml', 'spark, json-schema, ddl'],
  ['/tables/tracks/schema?format=', 'format', '', 'spark, json-schema, ddl'],
  ['/tables/tracks/schema?format=__proto__', 'format', '__proto__', 'spark, json-schema, ddl'],
  [`${read}?limit=3&limit=3`, 'limit', '["3","3"]', once],
  [`${read}?max_pages=1&limit=3&max_pages=2`, 'max_pages', '["1","2"]', once],
  [`${top}?time_range=short_term&time_range=short_term`, 'time_range', '["short_term"', once],
  [`${read}?connection=default&connection=default`, 'connection', '["default"', once],
  [`${read}?format=json&format=json`, 'format', '["json","json"]', once],
  ['/tables/tracks/schema?format=ddl&format=ddl', 'format', '["ddl","ddl"]', once],
]

const unknown: [url: string, parameter: string, allowed: string][] = [
  [`${read}?limti=3`, 'limti', readParameters],
  [`${read}?limti=3&limti=4`, 'limti', readParameters],
  [`${read}?LIMIT=3`, 'LIMIT', readParameters],
  [`${read}?limit%5B%5D=3`, 'limit[]', readParameters],
  [`${read}?%20limit=3`, ' limit', readParameters],
  [`${read}?limit%00=3`, 'limit\0', readParameters],
  [`${read}?=1`, '', readParameters],
  [`${read}?__proto__=1`, '__proto__', readParameters],
  [`${read}?__proto__.limit=1`, '__proto__.limit', readParameters],
  [`${read}?constructor=1`, 'constructor', readParameters],
  [`${read}?hasOwnProperty=1`, 'hasOwnProperty', readParameters],
  [`${read}?toString`, 'toString', readParameters],
  [`${read}?%ff=1`, '%ff', readParameters],
  [`${read}?%E2%99%AB=1`, '♫', readParameters],
  [`${read}?${'x'.repeat(3000)}=1`, 'x'.repeat(100), readParameters],
  [`${read}?cursor=1795176000123`, 'cursor', readParameters],
  ['/tables?limit=1', 'limit', 'no parameters'],
  ['/tables/tracks/metadata?format=json', 'format', 'no parameters'],
  ['/tables/tracks/schema?formt=ddl', 'formt', 'format'],
  ['/health?verbose', 'verbose', 'no parameters'],
  ['/livez?x=1', 'x', 'no parameters'],
  ['/readyz?x=1', 'x', 'no parameters'],
  ['/openapi.json?x=1', 'x', 'no parameters'],
  ['/?x=1', 'x', 'no parameters'],
]

t.test('a value that is not allowed is refused, told back, and nobody is asked', async (t) => {
  const { app, simulator } = await build(t)
  for (const [url, parameter, given, allowed] of kinds) {
    await t.test(url.slice(0, 80), async (t) => {
      const problem = assertProblem(t, await ask(app, url), 'invalid-option', 400)
      t.equal(problem.parameter, parameter)
      t.ok(String([problem.allowed]).includes(String([allowed])), problem.allowed)
      const told = given.startsWith('["') ? given : JSON.stringify(given.slice(0, 100)).slice(0, -1)
      for (const part of [parameter, told, [allowed].flat().join(', ')]) {
        t.ok(problem.detail.includes(part), `${part} in: ${problem.detail}`)
      }
      t.ok(problem.detail.length < 700)
    })
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('a parameter that there is not is refused by its name, and nobody is asked', async (t) => {
  const { app, simulator } = await build(t)
  for (const [url, parameter, allowed] of unknown) {
    await t.test(url.slice(0, 80), async (t) => {
      const problem = assertProblem(t, await ask(app, url), 'invalid-option', 400)
      t.equal(problem.parameter, parameter)
      t.equal(problem.allowed, allowed)
      const told = JSON.stringify(parameter).slice(0, -1)
      t.ok(problem.detail.includes(told), `${told} in: ${problem.detail}`)
      t.ok(problem.detail.includes(`allowed: ${allowed}`), problem.detail)
    })
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('HEAD is refused as GET is, and nobody is asked', async (t) => {
  const { app, simulator } = await build(t)
  for (const [url] of [...kinds, ...unknown]) {
    const headers = { 'x-request-id': 'the-same' }
    const get = await ask(app, { url, headers })
    const head = await ask(app, { method: 'HEAD', url, headers })
    t.equal(head.status, 400, url.slice(0, 80))
    t.equal(head.text, '')
    t.strictSame({ ...head.headers, date: '' }, { ...get.headers, date: '' })
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('what is allowed is taken: the edges, and a query that holds nothing', async (t) => {
  const { get } = await build(t)
  const whole = (await get('/tables/artists/read')).body
  const queries = ['?limit=50', '?max_pages=9007199254740991', '?connection=default&format=json']
  for (const query of [...queries, '?', '?&', '?&&limit=50&']) {
    const { status, body } = await get(`/tables/artists/read${query}`)
    t.equal(status, 200, query)
    t.strictSame(body, whole, query)
  }
  const one = (await get('/tables/artists/read?limit=1&max_pages=1')).body
  t.strictSame(one.records, whole.records.slice(0, 1))
  t.equal(one.has_more, true)
})
