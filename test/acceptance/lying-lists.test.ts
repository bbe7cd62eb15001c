import t from 'tap'
import type { EditableBody } from '../../src/simulator/faults.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'

const forEver = Number.POSITIVE_INFINITY
const idsOf = (items: readonly { id: string | null }[]) => items.map(({ id }) => id)

t.test('followed artists end where their cursor ends, whatever total says', async (t) => {
  const library = makeLibrary({ artists: 55 })
  const { get, simulator } = await build(t, { simulator: { library } })
  for (const total of [110, 20, 0]) {
    simulator.faults.clear()
    simulator.faults.add({
      on: '/me/following',
      times: forEver,
      fault: { kind: 'total', total },
    })
    const { status, body } = await get('/tables/artists/read')
    t.equal(status, 200)
    t.strictSame(idsOf(body.records), idsOf(library.artists), `total ${total}`)
    t.equal(body.has_more, false)
    t.equal(body.offset, null)
    t.notOk('interrupted' in body)
  }
})

t.test('the zero page behind the end of a top list is neither an end nor a change', async (t) => {
  const library = makeLibrary({ topTracks: 120 })
  const { get, simulator } = await build(t, { simulator: { library } })
  const zeroPage = (body: EditableBody) => {
    const behind = Number(body.offset) >= 120
    return behind ? { items: [], total: 0, limit: 0, offset: 0, next: null, previous: null } : body
  }
  simulator.faults.add({
    on: '/me/top/tracks',
    times: forEver,
    fault: { kind: 'edit', edit: zeroPage },
  })

  const { status, body } = await get('/tables/top_tracks/read')
  t.equal(status, 200)
  t.strictSame(idsOf(body.records), idsOf(library.topTracks.medium_term))
  t.equal(body.has_more, false)
  t.notOk('interrupted' in body)

  const behind = { table: 'top_tracks', connection: 'default', time_range: 'medium_term' }
  const offset = encodeURIComponent(JSON.stringify({ ...behind, position: 150 }))
  const answer = await get(`/tables/top_tracks/read?offset=${offset}`)
  t.equal(answer.status, 502, 'not believed to be the end')
  t.match(answer.body, { code: 'upstream-error', retryable: true, detail: /empty page/ })
})

t.test('followed artists whose cursor does not move are not read for ever', async (t) => {
  const library = makeLibrary({ artists: 140 })
  const { get, simulator } = await build(t, { simulator: { library } })
  const { faults, stats } = simulator
  faults.beforeAnswer('/me/following', ({ query }) => {
    delete query.after
  })
  const problem = { code: 'upstream-error', status: 502, detail: /does not move on/ }

  const { status, body } = await get('/tables/artists/read')
  t.equal(status, 200)
  t.strictSame(idsOf(body.records), idsOf(library.artists.slice(0, 50)), 'each once')
  t.equal(body.has_more, true)
  t.match(body.interrupted, problem)
  t.ok(stats.api <= 3, `${stats.api} requests`)

  const still = await get(body.next)
  t.equal(still.status, 502)
  t.match(still.body, problem)

  faults.clear()
  const rest = (await get(body.next)).body
  t.strictSame(idsOf(rest.records), idsOf(library.artists.slice(50)))
  t.equal(rest.has_more, false)
})
