import t from 'tap'
import { ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'

const example = 'offset=%7B%22cursor%22%3A%221795176000123%22%7D'
const tracks = { table: 'tracks', connection: 'default' }
const playlists = { table: 'playlists', connection: 'default' }
const topTracks = { table: 'top_tracks', connection: 'default', time_range: 'medium_term' }
/** A place in a list as an offset tells it. */
const item = 'AQGhznJxuw-_'
const place = { position: 49, total: 60, seam: [item] }
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

/** The table, its offset (an object stands for its JSON), and what the detail says of it. */
type Kind = [table: string, offset: string | object, told: RegExp]

const kinds: Kind[] = [
  ['tracks', 'cursor', /"cursor" is not JSON/],
  ['tracks', '{', /"{" is not JSON/],
  ['tracks', "{'position':50}", /"{'position':50}" is not JSON/],
  ['tracks', '{"position":50}x', /is not JSON/],
  ['tracks', '[object Object]', /"\[object Object\]" is not JSON/],
  ['tracks', 'undefined', /"undefined" is not JSON/],
  ['tracks', 'NaN', /"NaN" is not JSON/],
  ['tracks', '\0', /"\\u0000" is not JSON/],
  ['tracks', '{"table":"tr\0cks"}', /is not JSON/],
  ['tracks', '%', /"%" is not JSON/],
  ['tracks', '%7B%7D', /"%7B%7D" is not JSON/],
  ['tracks', '[]', /"\[\]" is not a JSON object/],
  ['tracks', '[{"position":50}]', /is not a JSON object/],
  ['tracks', '50', /"50" is not a JSON object/],
  ['tracks', '"{}"', /"\\"{}\\"" is not a JSON object/],
  ['tracks', 'true', /"true" is not a JSON object/],
  ['tracks', 'false', /"false" is not a JSON object/],
  ['tracks', '['.repeat(7_000), /"\[{100}…" is not JSON/],
  ['tracks', '['.repeat(3_000) + ']'.repeat(3_000), /is not a JSON object/],
  ['tracks', deep(1_000), /it has no "table"/],
  ['tracks', { ...tracks, position: JSON.parse(deep(100)) }, /its position is \{"a":/],
  ['tracks', 'x'.repeat(8_001), /longer than 8000 characters \("x{100}…"\)/],
  ['tracks', { ...tracks, position: 50, more: 'x'.repeat(8_000) }, /longer than 8000 characters/],
  ['tracks', '{"__proto__":{"table":"tracks"}}', /it has no "table"/],
  ['tracks', '{"constructor":1}', /it has no "table"/],
  [
    'tracks',
    JSON.stringify({ ...tracks, position: 1 }).replace('{', '{"__proto__":{},'),
    /"__proto__"/,
  ],
  ['tracks', { ...tracks, position: 50, constructor: 1 }, /unknown field "constructor"/],
  ['tracks', { ...tracks, ...place, page: 2 }, /unknown field "page"/],
  ['tracks', { ...tracks, ...place, digest: '' }, /unknown field "digest"/],
  ['tracks', { ...tracks, ...place, look: `50.${item}` }, /unknown field "look"/],
  ['tracks', { ...tracks, position: 50 }, /its total is undefined, /],
  ['tracks', { ...tracks, position: 50, total: 60 }, /its seam is undefined, /],
  ['tracks', { ...tracks, total: 60, seam: [item] }, /its position is undefined, /],
  ['tracks', { ...tracks, ...place, total: -1 }, /its total is -1, /],
  ['tracks', { ...tracks, ...place, total: '60' }, /its total is "60", /],
  ['tracks', { ...tracks, ...place, total: 10_000_001 }, /its total is 10000001, /],
  ['tracks', { ...tracks, ...place, seam: [] }, /its seam is \[\], /],
  ['tracks', { ...tracks, ...place, seam: item }, /its seam is "AQGhznJxuw-_", /],
  ['tracks', { ...tracks, ...place, seam: [null] }, /its seam is \[null\], /],
  ['tracks', { ...tracks, ...place, seam: ['short'] }, /its seam is \["short"\], /],
  ['tracks', { ...tracks, ...place, seam: Array(101).fill(item) }, /its seam is \["AQGhz/],
  ['tracks', { ...tracks, ...place, seam: { length: 1, 0: item } }, /its seam is \{"0":/],
  ['tracks', { ...tracks, ...place, ahead: [] }, /its ahead is \[\], /],
  ['tracks', { ...tracks, ...place, ahead: null }, /its ahead is null, /],
  ['playlists', { ...playlists, ...place }, /its digest is not one of ours/],
  ['playlists', { ...playlists, ...place, digest: 7 }, /its digest is not one of ours/],
  ['playlists', { ...playlists, ...place, digest: 'short' }, /its digest is not one of ours/],
  ['playlists', { ...playlists, position: 49, digest: item }, /its total is undefined, /],
  ['playlists', { ...playlists, ...place, digest: item, look: '' }, /unknown field "look"/],
  ['top_tracks', { ...topTracks, ...place, repeats: [] }, /its look is not one of ours/],
  ['top_tracks', { ...topTracks, ...place, look: item, repeats: [] }, /its look is not one of/],
  ['top_tracks', { ...topTracks, ...place, look: `51.${item}`, repeats: [] }, /its look is not/],
  ['top_tracks', { ...topTracks, ...place, look: `0.${item}`, repeats: [] }, /its look is not/],
  ['top_tracks', { ...topTracks, ...place, look: `50.${item}` }, /its repeats is not one of ours/],
  ['top_tracks', { ...topTracks, ...place, look: `50.${item}`, repeats: '' }, /its repeats is not/],
  ['top_tracks', { ...topTracks, ...place, look: `50.${item}`, repeats: [7] }, /its repeats is/],
  ['top_tracks', { ...topTracks, look: `50.${item}`, repeats: [] }, /no place to go on from/],
  ['tracks', { ...tracks, position: 50, time_range: 'short_term' }, /unknown field "time_range"/],
  ['tracks', { ...tracks, after: 'abc' }, /unknown field "after"/],
  ['tracks', tracks, /no place/],
  ['tracks', { position: 50 }, /it has no "table"/],
  ['tracks', { table: 'tracks', position: 50 }, /it has no "connection"/],
  ['tracks', { ...tracks, table: 'albums', position: 50 }, /its table is "albums".*"tracks"/],
  ['tracks', { ...tracks, table: null, position: 50 }, /its table is null.*"tracks"/],
  ['tracks', { ...tracks, connection: 'b', position: 50 }, /its connection is "b".*"default"/],
  ['tracks', { ...tracks, position: -1 }, /its position is -1, /],
  ['tracks', { ...tracks, position: 1.5 }, /its position is 1.5, /],
  ['tracks', { ...tracks, position: '50' }, /its position is "50", /],
  ['tracks', { ...tracks, position: 1e21 }, /its position is 1e\+21, /],
  ['tracks', '{"table":"tracks","connection":"default","position":1e999}', /its position is /],
  ['tracks', { ...tracks, position: null }, /its position is null, /],
  ['tracks', { ...tracks, position: [50] }, /its position is \[50\], /],
  ['tracks', { ...tracks, position: true }, /its position is true, /],
  ['tracks', { ...tracks, position: 2 ** 53 }, /its position is 9007199254740992, /],
  [
    'top_tracks',
    { ...topTracks, time_range: 'long_term', position: 50 },
    /its time_range is "long_term"/,
  ],
  ['top_tracks', { table: 'top_tracks', connection: 'default', position: 50 }, /no "time_range"/],
  ['artists', { table: 'artists', connection: 'default', after: 7 }, /its after is 7, /],
  ['artists', { table: 'artists', connection: 'default', after: '' }, /its after is "", /],
  ['artists', { table: 'artists', connection: 'default', after: 'a b' }, /its after is "a b", /],
  ['artists', { table: 'artists', connection: 'default', after: '\0' }, /its after is "\\u0000", /],
  ['artists', { table: 'artists', connection: 'default', position: 50 }, /field "position"/],
  ['user_profile', { table: 'user_profile', connection: 'default', position: 1 }, /one row/],
  ['user_profile', { cursor: '1795176000123' }, /it has no "table"/],
  ['recently_played', 'cursor', /"cursor" is not JSON/],
  ['recently_played', { cursor: 'yesterday' }, /its cursor is "yesterday", /],
  ['recently_played', { cursor: 1795176000123 }, /its cursor is 1795176000123, /],
  ['recently_played', { cursor: '' }, /its cursor is "", /],
  ['recently_played', { cursor: null }, /its cursor is null, /],
  ['recently_played', { cursor: '-1' }, /its cursor is "-1", /],
  ['recently_played', { cursor: '1.5' }, /its cursor is "1.5", /],
  ['recently_played', { cursor: ' 1795176000123' }, /its cursor is " 1795176000123", /],
  ['recently_played', { cursor: '1e12' }, /its cursor is "1e12", /],
  ['recently_played', { cursor: '9'.repeat(16) }, /its cursor is "9{16}", /],
  ['recently_played', { cursor: '١٧٩٥' }, /its cursor is "١٧٩٥", /],
  ['recently_played', { cursor: ['1795176000123'] }, /its cursor is \["1795176000123"\], /],
  ['recently_played', { recent: 'AQGhznJxuwAB' }, /its cursor is /],
  ['recently_played', { cursor: '1', recent: 5 }, /its recent is 5, /],
  ['recently_played', { cursor: '1', recent: null }, /its recent is null, /],
  ['recently_played', { cursor: '1', recent: '' }, /its recent is "", /],
  ['recently_played', { cursor: '1', recent: '!!!' }, /its recent is "!!!", /],
  ['recently_played', { cursor: '1', recent: 'AAAA' }, /its recent is "AAAA", /],
  ['recently_played', { cursor: '1', recent: 'AQGhznJxuw' }, /its recent is "AQGhznJxuw", /],
  ['recently_played', { cursor: '1', recent: 'A'.repeat(901) }, /its recent is "A{100}…", /],
  ['recently_played', { cursor: '1', recent: 'AQ==' }, /its recent is "AQ==", /],
  ['recently_played', { cursor: '1', total: 50 }, /unknown field "total"/],
  ['recently_played', { ...tracks, position: 50 }, /unknown field "table"/],
]

/** What comes where the encoding of the URL itself is at fault, or the parameter is. */
const queries: [query: string, told: RegExp][] = [
  ['offset=%', /"%" is not JSON/],
  ['offset=%zz', /"%zz" is not JSON/],
  ['offset=%7', /"%7" is not JSON/],
  ['offset=%ff', /"%ff" is not JSON/],
  ['offset=%C0%80', /"%C0%80" is not JSON/],
  ['offset=%ED%A0%80', /"%ED%A0%80" is not JSON/],
  ['offset=%7B%22table%22%3A%22%ff%22%7D', /is not JSON/],
  ['offset=%257B%257D', /"%7B%7D" is not JSON/],
  [`offset=${'%7B'.repeat(4_000)}`, /"\{{100}…" is not JSON/],
  ['offset={}&offset={}', /more than once/],
  ['offset=&offset=', /more than once/],
  ['offset=position&offset=total', /more than once/],
  ['offset=cursor', /"cursor" is not JSON/],
]

t.test('an offset that is not ours is refused, told back, and nobody is asked', async (t) => {
  const { app, simulator } = await build(t)
  for (const [table, offset, told] of kinds) {
    const text = typeof offset === 'string' ? offset : JSON.stringify(offset)
    const url = `/tables/${table}/read?offset=${encodeURIComponent(text)}`
    await t.test(`${table} ${JSON.stringify(text).slice(0, 70)}`, async (t) => {
      const problem = assertProblem(t, await ask(app, url), 'invalid-offset', 400)
      t.match(problem, { parameter: 'offset', example, instance: `/tables/${table}/read` })
      t.match(problem.detail, told)
      t.ok(problem.detail.includes(example), 'an example of the right form')
      t.ok(problem.detail.length < 600)
      const head = await ask(app, { method: 'HEAD', url })
      t.equal(head.status, 400)
      t.equal(head.text, '')
    })
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('an offset that came to harm on its way is refused, with the right form', async (t) => {
  const { app, simulator } = await build(t)
  for (const table of ['tracks', 'recently_played', 'user_profile']) {
    for (const [query, told] of queries) {
      const answer = await ask(app, `/tables/${table}/read?${query}`)
      const problem = assertProblem(t, answer, 'invalid-offset', 400)
      t.match(problem.detail, told)
      t.ok(problem.detail.includes(example))
    }
  }
  const answer = await ask(app, '/tables/recently_played/read?cursor=1795176000123')
  const problem = assertProblem(t, answer, 'invalid-option', 400)
  t.match(problem.detail, /no parameter "cursor"/)
  t.ok(problem.detail.includes(example), 'for who took the offset apart')
  t.equal(simulator.stats.requests.length, 0)
})

t.test('a connection that there is not is named, with those that there are', async (t) => {
  const { app, simulator } = await build(t)
  const names = ['other', 'Default', '__proto__', 'constructor', '%00', '%20', '♫', 'x'.repeat(900)]
  for (const name of names) {
    for (const method of ['GET', 'HEAD'] as const) {
      const url = `/tables/tracks/read?connection=${encodeURI(name).replaceAll('%25', '%')}`
      const answer = await ask(app, { method, url })
      t.equal(answer.status, 404)
      if (method === 'HEAD') continue
      const problem = assertProblem(t, answer, 'connection-not-found')
      t.strictSame(problem.connections, ['default'])
      t.match(problem.detail, /The connections are: default\./)
      const told = JSON.stringify(decodeURI(name).slice(0, 100)).slice(0, -1)
      t.ok(problem.detail.includes(`There is no connection ${told}`), problem.detail)
    }
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('no offset, an empty one, null and {} all mean: from the start', async (t) => {
  const { app } = await build(t)
  const forms = ['offset', 'offset=', 'offset=null', 'offset={}', 'offset=%7B%7D', 'offset=%7B+%7D']
  for (const table of ['albums', 'artists', 'top_artists', 'recently_played', 'user_profile']) {
    const whole = await ask(app, `/tables/${table}/read`)
    t.equal(whole.status, 200)
    for (const form of [...forms, 'offset=%20null%0A']) {
      const { status, text } = await ask(app, `/tables/${table}/read?${form}`)
      t.equal(status, 200, `${table} ${form}`)
      t.ok(text === whole.text, `${table} ${form}`)
    }
  }
})

t.test('an offset that is ours is taken, with another limit and max_pages too', async (t) => {
  const { get } = await build(t)
  for (const table of ['albums', 'playlists', 'artists', 'top_tracks']) {
    const whole = (await get(`/tables/${table}/read`)).body
    const first = (await get(`/tables/${table}/read?limit=7&max_pages=2`)).body
    t.ok(first.records.length > 0 && first.records.length <= 14)
    const offset = encodeURIComponent(JSON.stringify(first.offset))
    const rest = (await get(`/tables/${table}/read?limit=50&max_pages=9&offset=${offset}`)).body
    t.equal(rest.has_more, false)
    t.strictSame([...first.records, ...rest.records], whole.records, table)
  }
})

t.test('`next` is the same read from its offset on, with all that the caller gave', async (t) => {
  const { get } = await build(t)
  const query = 'limit=3&max_pages=1&time_range=short_term&connection=default&format=json'
  const { body, headers } = await get(`/tables/top_tracks/read?${query}`)
  const next = new URL(body.next, 'http://localhost')
  t.match(body.next, /^\/tables\/top_tracks\/read\?/, 'it is relative')
  t.strictSame(Object.fromEntries(next.searchParams), {
    ...Object.fromEntries(new URLSearchParams(query)),
    offset: JSON.stringify(body.offset),
  })
  t.equal(headers.link, `<${body.next}>; rel="next"`)
  t.match((await get(body.next)).body.records, [{ rank: 4 }, { rank: 5 }, { rank: 6 }])
})

t.test(
  'an option that the operator does not allow is refused, and those allowed are told',
  async (t) => {
    const { app, get, simulator } = await build(t, {
      env: { EXTERNAL_OPTIONS_ALLOW_LIST: 'limit,time_range' },
    })
    const answer = await ask(app, '/tables/tracks/read?limit=5&max_pages=1')
    const problem = assertProblem(t, answer, 'invalid-option', 400)
    t.match(problem, { parameter: 'max_pages', given: 1, allowed: ['time_range', 'limit'] })
    t.match(problem.detail, /allows: time_range, limit \(EXTERNAL_OPTIONS_ALLOW_LIST\)/)
    const head = await ask(app, { method: 'HEAD', url: '/tables/tracks/read?max_pages=1' })
    t.equal(head.status, 400)
    const other = await ask(app, '/tables/tracks/read?time_range=long_term')
    t.match(assertProblem(t, other, 'invalid-option', 400).detail, /The table tracks has no option/)
    t.equal(simulator.stats.requests.length, 0)
    t.equal((await get('/tables/top_tracks/read?limit=5&time_range=long_term')).status, 200)
    // These are no options of a table.
    const { status } = await get('/tables/tracks/read?offset=%7B%7D&connection=default&format=json')
    t.equal(status, 200)
  },
)

t.test('where no option is allowed, a read without any goes on', async (t) => {
  const { app, get } = await build(t, { env: { EXTERNAL_OPTIONS_ALLOW_LIST: 'none' } })
  for (const option of ['limit=5', 'max_pages=1', 'time_range=long_term']) {
    const answer = await ask(app, `/tables/top_tracks/read?${option}`)
    t.match(assertProblem(t, answer, 'invalid-option', 400).detail, /allows: none/)
  }
  t.equal((await get('/tables/top_tracks/read')).status, 200)
})
