import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { pathOf } from '../src/request-log.ts'
import { ask } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { hold, patient, until } from './helpers/hold.ts'

t.test('the path of a URL is without its query, its fragment and its host', async (t) => {
  t.equal(pathOf('/tables/tracks/read?offset=hush'), '/tables/tracks/read')
  t.equal(pathOf('/tables#hush'), '/tables')
  t.equal(pathOf('/?a?b'), '/')
  t.equal(pathOf('http://user:hush@localhost:8080/tables?a'), '/tables')
  t.equal(pathOf('HTTPS://localhost'), '/')
  t.equal(pathOf('http://localhost?hush'), '/')
  t.equal(pathOf('/a/http://b/c'), '/a/http://b/c')
  t.equal(pathOf('*'), '*')
})

t.test('a request is one line, with what became of it', async (t) => {
  const { app, log } = await build(t)
  const linesOf = async (url: string) => {
    log.length = 0
    await ask(app, { url, headers: { 'x-request-id': 'its-id' } })
    return log.filter(({ msg }) => msg === 'request')
  }
  const of = { level: 30, request_id: 'its-id', method: 'GET', ms: Number }
  const read = '/tables/artists/read'
  const about = { path: read, table: 'artists', connection: 'default' }
  t.match(await linesOf(`${read}?limit=50`), [
    { ...of, ...about, status: 200, rows: 140, pages: 3, outcome: 'whole', wait_ms: 0 },
  ])
  t.match(await linesOf(`${read}?limit=9&max_pages=2`), [
    { ...of, ...about, status: 200, rows: 18, pages: 2, outcome: 'more' },
  ])
  t.match(await linesOf('/tables/nope/read'), [
    { ...of, path: '/tables/nope/read', status: 404, code: 'table-not-found', detail: /"nope"/ },
  ])
  t.match(await linesOf(`${read}?limit=0`), [
    { ...of, path: read, status: 400, code: 'invalid-option', detail: /limit is "0"/ },
  ])
  t.match(await linesOf('/tables/%zz/read?hush'), [
    { ...of, path: '/tables/%zz/read', status: 400, code: 'bad-request', detail: /no path/ },
  ])
  for (const path of ['/health', '/tables', '/docs', '/']) {
    const [line, ...more] = await linesOf(path)
    t.match(line, { ...of, path }, path)
    t.strictSame(more, [])
  }
})

t.test('what stands in a query is in no line', async (t) => {
  const { app, log } = await build(t)
  const urls = [
    '/tables?access_token=hush',
    '/tables/tracks/read?access_token=hush',
    '/nope?t=hush',
  ]
  for (const url of [...urls, '/tables/%zz/read?t=hush', '/docs?t=hush', '/livez?t=hush']) {
    await ask(app, url)
    await ask(app, { method: 'POST', url })
  }
  t.ok(log.length >= 12)
  t.notMatch(JSON.stringify(log), 'hush')
})

t.test('probes are told of at debug', async (t) => {
  const { app, log } = await build(t)
  for (const url of ['/livez', '/readyz', '/livez?x', '/readyz?x=1']) {
    log.length = 0
    await ask(app, url)
    t.match(log, [{ level: 20, path: url.split('?')[0], status: url.includes('?') ? 400 : 200 }])
    t.equal(log.length, 1)
  }
})

t.test('a reader that goes away is told of, at info', async (t) => {
  const { listen, log, simulator } = await build(t, { timeouts: patient })
  const profile = hold(simulator, '/me')
  const reader = connect(await listen(), '127.0.0.1')
  const fields = 'Host: localhost\r\nX-Request-Id: its-id'
  reader.write(`GET /tables/user_profile/read?hush HTTP/1.1\r\n${fields}\r\n\r\n`)
  await once(reader, 'data')
  reader.write(`GET /tables/user_profile/read HTTP/1.1\r\n${fields}\r\n\r\n`)
  await profile.arrived
  reader.destroy()
  await until(() => log.some(({ msg }) => /went away/.test(String(msg))))
  const line = log.find(({ msg }) => /went away/.test(String(msg)))
  t.match(line, { level: 30, request_id: 'its-id', path: '/tables/user_profile/read' })
  profile.release()
})
