import t from 'tap'
import { makeArtist, makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'

type Record = { [field: string]: unknown }

const url = '/tables/artists/read'

function idsOf({ records }: { records: Record[] }): unknown[] {
  return records.map(({ id }) => id)
}

t.test('the end is the cursor, whatever total says', async (t) => {
  for (const total of [110, 10, 0]) {
    const library = makeLibrary({ artists: 55 })
    const { get, simulator } = await build(t, { simulator: { library } })
    simulator.faults.add({
      on: '/me/following',
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'total', total },
    })
    const { status, body } = await get(url)
    t.equal(status, 200)
    t.strictSame(
      idsOf(body),
      library.artists.map(({ id }) => id),
    )
    t.match(body, { offset: null, has_more: false })
    t.equal(simulator.stats.api, 2)
  }
})

t.test('the offset names the artist to go on behind', async (t) => {
  const library = makeLibrary({ artists: 55 })
  const { get } = await build(t, { simulator: { library } })
  const { offset } = (await get(`${url}?limit=20&max_pages=1`)).body
  t.strictSame(offset, {
    table: 'artists',
    connection: 'default',
    after: library.artists[19]?.id,
  })
})

t.test('an artist who is unfollowed between two calls costs no other', async (t) => {
  const library = makeLibrary({ artists: 55 })
  const { get, simulator } = await build(t, { simulator: { library } })
  const first = (await get(`${url}?limit=20&max_pages=1`)).body
  simulator.library.artists.splice(3, 1)
  simulator.library.artists.splice(18, 1)
  const rest = (await get(first.next)).body
  const last = (await get(rest.next)).body
  const ids = [first, rest, last].flatMap(idsOf)
  t.equal(new Set(ids).size, ids.length)
  for (const { id } of simulator.library.artists) t.ok(ids.includes(id))
})

t.test('the same page whatever is asked is told, and never taken for the table', async (t) => {
  const library = makeLibrary({ artists: 120 })
  const { get, simulator } = await build(t, { simulator: { library } })
  simulator.faults.beforeAnswer('/me/following', ({ query }) => {
    delete query.after
  })
  const first = (await get(url)).body
  t.strictSame(
    idsOf(first),
    library.artists.slice(0, 50).map(({ id }) => id),
  )
  t.match(first, {
    has_more: true,
    interrupted: { code: 'upstream-error', detail: /does not move on/ },
  })
  t.ok(simulator.stats.api <= 5)
  const next = await get(first.next)
  t.equal(next.status, 502)
  t.match(next.body, { code: 'upstream-error' })
})

t.test('an empty answer, once, at the start or in the middle, empties nothing', async (t) => {
  for (const skip of [0, 1]) {
    const { get, simulator } = await build(t, { simulator: { library: makeLibrary() } })
    simulator.faults.add({ on: '/me/following', skip, fault: { kind: 'empty-page' } })
    const { body } = await get(url)
    t.equal(body.records.length, 140)
    t.match(body, { has_more: false, offset: null })
  }
})

t.test('what development mode does not send is null', async (t) => {
  const { get } = await build(t, { simulator: { library: makeLibrary({ artists: 2 }) } })
  const { records } = (await get(url)).body
  t.equal(records.length, 2)
  for (const record of records) t.match(record, { followers: null, popularity: null })
})

t.test('followers without a link are a struct with a null', async (t) => {
  const library = { ...makeLibrary({ mode: 'extended' }), artists: [makeArtist(0)] }
  const { get } = await build(t, { simulator: { library } })
  const [record] = (await get(url)).body.records
  t.strictSame(record.followers, { href: null, total: library.artists[0]?.followers.total })
})
