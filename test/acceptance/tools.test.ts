import t, { type Test } from 'tap'
import { build } from '../helpers/build.ts'
import { savedTracks } from '../helpers/saved-tracks.ts'

/** A service that listens, and its URL. */
async function listen(t: Test) {
  const built = await build(t, { simulator: { library: savedTracks } })
  const port = await built.listen()
  return { ...built, base: `http://127.0.0.1:${port}` }
}

t.test('a tool that asks HEAD first and then for a range gets the table whole', async (t) => {
  const { base, simulator } = await listen(t)
  const url = `${base}/tables/tracks/read`

  t.test('HEAD costs Spotify nothing', async (t) => {
    const tookMs: number[] = []
    for (let asked = 1; asked <= 3; asked++) {
      const startMs = performance.now()
      const { status, headers, body } = await fetch(url, { method: 'HEAD' })
      tookMs.push(performance.now() - startMs)
      t.equal(status, 200)
      t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
      t.equal(headers.get('accept-ranges'), 'none')
      t.equal(headers.get('content-length'), null, 'none is made up')
      t.equal(body, null)
    }
    t.ok(Math.min(...tookMs) < 200)
    t.equal(simulator.stats.requests.length, 0)
  })

  t.test('HEAD fails as GET does', async (t) => {
    const failures = [
      ['/tables/trakcs/read', 404],
      ['/tables/tracks/read?limit=51', 400],
      ['/tables/tracks/read?limti=3', 400],
      ['/tables/tracks/read?offset=cursor', 400],
      ['/tables/tracks/read?connection=nobody', 404],
    ] as const
    for (const [path, status] of failures) {
      const head = await fetch(base + path, { method: 'HEAD' })
      const get = await fetch(base + path)
      t.equal(get.status, status, path)
      t.equal(head.status, status, path)
      t.equal(head.headers.get('content-type'), get.headers.get('content-type'))
      t.equal(await head.text(), '')
    }
    t.equal(simulator.stats.requests.length, 0)
  })

  t.test('GET passes over a Range', async (t) => {
    for (const range of ['bytes=0-1', 'bytes=-5', 'bytes=999999999-', 'rows=1']) {
      const answer = await fetch(url, { headers: { range } })
      t.equal(answer.status, 200, range)
      t.equal(answer.headers.get('content-range'), null)
      t.equal(((await answer.json()) as { records: [] }).records.length, 237)
    }
  })
})

t.test('an offset that was taken apart is refused, and not taken for the start', async (t) => {
  const { get, simulator } = await build(t)
  const taken = [
    ['offset=cursor', 'invalid-offset', 'offset'],
    ['offset=position&offset=total', 'invalid-offset', 'offset'],
    ['cursor=1795176000123', 'invalid-option', 'cursor'],
    ['offset=%5Bobject%20Object%5D', 'invalid-offset', 'offset'],
  ] as const
  for (const table of ['tracks', 'recently_played']) {
    for (const [query, code, parameter] of taken) {
      const { status, body } = await get(`/tables/${table}/read?${query}`)
      t.equal(status, 400)
      t.match(body, { code, parameter, retryable: false }, query)
      t.match(body.detail, parameter)
      t.ok(body.detail.includes('offset=%7B%22cursor%22%3A%221795176000123%22%7D'), 'an example')
    }
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('in the description the offset is one string, so that nothing takes it apart', async (t) => {
  const { get } = await build(t)
  const { parameters } = (await get('/openapi.json')).body.paths['/tables/{name}/read'].get
  const offset = parameters.find(({ name }: { name: string }) => name === 'offset')
  t.match(offset, { in: 'query', schema: { type: 'string' } })
})
