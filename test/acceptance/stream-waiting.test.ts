import t from 'tap'
import { tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { readStream, recordsOf } from '../helpers/read-stream.ts'
import { savedTracks } from '../helpers/saved-tracks.ts'

t.test('a stream that waits for its first page begins with a waiting line', async (t) => {
  const clock = new FakeClock()
  const { simulator, listen } = await build(t, { simulator: { library: savedTracks }, clock })
  simulator.faults.add({ on: '/me/tracks', fault: tooManyRequests(300) })
  const port = await listen()
  // The line comes by real time, which is what a proxy measures.
  const sinceMs = performance.now()
  const stream = await readStream(t, port, '/tables/tracks/read')
  t.ok(performance.now() - sinceMs < 15_000)
  t.equal(stream.status, 200)
  t.strictSame(await stream.next(), { waiting: { seconds: 300, code: 'rate-limited' } })
  await clock.advance(300_000)
  const lines = await stream.rest()
  t.equal(recordsOf(lines).length, 237)
  t.match(lines.at(-1), { end: { has_more: false } })
})
