import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'
import { type Line, readStream, recordsOf } from '../helpers/read-stream.ts'

const library = makeLibrary({
  tracks: 101,
  albums: 101,
  artists: 101,
  playlists: 101,
  topTracks: 101,
  topArtists: 101,
})

/** Each with the checkpoints of a stream in pages of 25; a list's last page has none. */
const tables = {
  tracks: 4,
  albums: 4,
  artists: 4,
  // What verifies them is still to come behind their last row.
  playlists: 5,
  top_tracks: 5,
  top_artists: 5,
  recently_played: 1,
} as const

for (const [table, count] of Object.entries(tables)) {
  t.test(`${table}: from each checkpoint exactly the rows behind it are read`, async (t) => {
    const { listen, get } = await build(t, { simulator: { library } })
    const port = await listen()
    const path = `/tables/${table}/read?limit=25`
    const lines = await (await readStream(t, port, path)).rest()
    const rows = recordsOf(lines)
    t.equal(rows.length, table === 'recently_played' ? 50 : 101)
    t.match(lines.at(-1), { end: { has_more: false, records: rows.length } })

    let [given, since, checkpoints] = [0, 0, 0]
    for (const { record, checkpoint } of lines) {
      if (record) {
        given += 1
        since += 1
      }
      if (!checkpoint) continue
      checkpoints += 1
      t.equal(checkpoint.records, since)
      since = 0
      const from = `${path}&offset=${encodeURIComponent(JSON.stringify(checkpoint.offset))}`
      const behind = rows.slice(given)
      const again: Line[] = await (await readStream(t, port, from)).rest()
      t.strictSame(recordsOf(again), behind, `behind ${given} rows`)
      t.match(again.at(-1), { end: { has_more: false } })
      const answer = await get(from)
      t.strictSame(answer.body.records, behind, `behind ${given} rows, as JSON`)
      t.equal(answer.body.has_more, false)
    }
    t.equal(checkpoints, count)
  })
}

t.test('a stream in calls of a few pages ends each with its last checkpoint', async (t) => {
  const { listen } = await build(t, { simulator: { library } })
  const port = await listen()
  const rows: Line[] = []
  let next = '/tables/tracks/read?limit=25&max_pages=2&format=ndjson'
  for (let call = 1; call <= 3; call++) {
    const lines = await (await readStream(t, port, next)).rest()
    rows.push(...recordsOf(lines))
    const { end } = lines.at(-1)
    t.equal(end.has_more, call < 3)
    if (call < 3) t.strictSame(lines.at(-2).checkpoint.offset, end.offset)
    next = end.next
  }
  t.equal(next, undefined)
  t.strictSame(
    rows.map(({ track }) => track.id),
    library.tracks.map((item) => item?.track?.id),
  )
})
