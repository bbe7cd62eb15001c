import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { start } from './start.ts'

const path = '/me/following?type=artist'

t.test('followed artists are walked by the cursor to the end', async (t) => {
  const { simulator, body } = await start(t, { library: makeLibrary({ artists: 110 }) })
  const ids: unknown[] = []
  let after = ''
  for (let pages = 1; ; pages++) {
    const { artists, ...rest } = await body(`${path}&limit=50${after && `&after=${after}`}`)
    t.same(rest, {}, 'everything is under artists')
    ids.push(...artists.items.map(({ id }) => id))
    t.match(artists, { total: 110, limit: 50 })
    t.same(Object.keys(artists.cursors as object), ['after'])
    const cursor = (artists.cursors as { after: string | null }).after
    if (cursor === null) {
      t.equal(artists.next, null)
      t.equal(pages, 3)
      break
    }
    t.equal(cursor, ids.at(-1))
    t.equal(artists.next, `${simulator.apiUrl}${path}&limit=50&after=${cursor}`)
    after = cursor
  }
  t.same(
    ids,
    simulator.library.artists.map(({ id }) => id),
  )
})

t.test('a cursor holds when its artist, and the one before, are no longer followed', async (t) => {
  const { simulator, body } = await start(t, { library: makeLibrary({ artists: 9 }) })
  const ids = simulator.library.artists.map(({ id }) => id)
  await body(`${path}&limit=4`)
  simulator.library.artists.splice(2, 2)
  await body(`${path}&limit=1`)
  const { artists } = await body(`${path}&limit=4&after=${ids[3]}`)
  t.same(
    artists.items.map(({ id }) => id),
    ids.slice(4, 8),
  )
  simulator.library.artists.splice(0, 2)
  const again = await body(`${path}&limit=4&after=${ids[3]}`)
  t.same(
    again.artists.items.map(({ id }) => id),
    ids.slice(4, 8),
  )
})

t.test('a cursor that was never given out leads behind the end', async (t) => {
  const { body } = await start(t)
  t.match(await body(`${path}&after=0000000000000000000000`), {
    artists: { items: [], next: null, cursors: { after: null } },
  })
})
