import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'
import { patient, until } from '../helpers/hold.ts'
import { readStream, recordsOf } from '../helpers/read-stream.ts'

// Twice as much as the kernel takes in for a reader that does not read.
const library = makeLibrary({ tracks: 8_000, artists: 140 })
const pages = Math.ceil((8_000 - 1) / 49)
const concurrency = 8

t.test('a reader that stops reading stops the pages, and gets all when it goes on', async (t) => {
  const { simulator, stream, stalled } = await start(t)
  const asked = await stalled()
  t.ok(asked < pages - concurrency, `${asked} of ${pages} pages`)
  const lines = await stream.rest()
  t.equal(
    recordsOf(lines)
      .map(({ track }) => track.id)
      .join(),
    library.tracks.map((item) => item?.track?.id).join(),
  )
  t.match(lines.at(-1), { end: { offset: null, has_more: false, records: 8_000, pages } })
  t.ok(simulator.stats.maxInFlight <= concurrency)
})

t.test('a reader that leaves without having read on ends its read', async (t) => {
  const { simulator, stream, stalled, log, get } = await start(t)
  const asked = await stalled()
  stream.leave()
  await until(() => log.some(({ msg }) => msg === 'the reader went away before the answer'))
  t.equal((await get('/tables/artists/read')).body.records.length, 140)
  t.equal(simulator.stats.requests.filter(({ path }) => path === '/me/tracks').length, asked)
  t.strictSame(
    log.filter(({ level }) => Number(level) >= 40),
    [],
  )
})

/** A stream of which nobody reads more than its headers. */
async function start(t: Test) {
  const { app, listen, simulator, log, get } = await build(t, {
    simulator: { library },
    env: { SPOTIFY_CONCURRENCY: String(concurrency) },
    timeouts: patient,
  })
  const port = await listen()
  const connected = once(app.server, 'connection')
  const stream = await readStream(t, port, '/tables/tracks/read?max_pages=1000')
  const [socket] = (await connected) as [Socket]
  return {
    simulator,
    stream,
    log,
    get,
    /** Waits until the kernel takes no more and no page comes; gives how many were asked for. */
    async stalled(): Promise<number> {
      const pagesAsked = () =>
        simulator.stats.requests.filter(({ path }) => path === '/me/tracks').length
      for (let asked = -1; asked !== pagesAsked(); ) {
        await until(() => socket.writableNeedDrain && simulator.stats.inFlight === 0)
        asked = pagesAsked()
        // What could still move has time to do so while another table is read.
        await get('/tables/artists/read')
      }
      return pagesAsked()
    },
  }
}
