import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { holdTogether, patient, until } from '../helpers/hold.ts'
import { behindPage } from '../helpers/saved-tracks.ts'

const library = makeLibrary({ tracks: 5_000, artists: 140 })

for (const format of ['json', 'ndjson']) {
  for (const concurrency of [1, 8]) {
    const pages = `${concurrency} ${concurrency === 1 ? 'page' : 'pages'} in flight`
    t.test(`${format}: a reader that leaves with ${pages} ends its read`, async (t) => {
      const { simulator, read, log, restIsQuiet } = await start(t, format, concurrency)
      const inFlight = holdTogether(simulator, behindPage(2), { count: concurrency })
      const reader = read()
      await inFlight.arrived
      reader.destroy()
      await until(() => simulator.stats.inFlight === 0)
      inFlight.release()
      await restIsQuiet(2 + concurrency)
      await until(() => log.some(({ msg }) => msg === 'the reader went away before the answer'))
    })

    t.test(
      `${format}: a reader that leaves at the gate, with ${pages}, ends the wait`,
      async (t) => {
        const clock = new FakeClock()
        const { simulator, read, restIsQuiet } = await start(t, format, concurrency, clock)
        const times = Number.POSITIVE_INFINITY
        simulator.faults.add({ on: behindPage(1), times, fault: tooManyRequests(10) })
        const reader = read()
        await until(() => clock.sleeping === concurrency)
        const asked = simulator.stats.api
        t.ok(asked >= 2 && asked <= 1 + concurrency)
        reader.destroy()
        await until(() => clock.sleeping === 0)
        simulator.faults.clear()
        await clock.advance(10_000)
        await restIsQuiet(asked)
      },
    )
  }

  t.test(`${format}: a reader that leaves before the first page ends its read`, async (t) => {
    const clock = new FakeClock()
    const { simulator, read, restIsQuiet } = await start(t, format, 8, clock)
    simulator.faults.add({ on: '/me/tracks', fault: tooManyRequests(10) })
    const reader = read()
    await until(() => clock.sleeping === 1)
    reader.destroy()
    await until(() => clock.sleeping === 0)
    await clock.advance(10_000)
    await restIsQuiet(1)
  })
}

/** A service over a big library, and a read of it. */
async function start(t: Test, format: string, concurrency: number, clock?: FakeClock) {
  const { listen, simulator, log, get } = await build(t, {
    simulator: { library, ...(clock && { clock }) },
    ...(clock && { clock }),
    env: { SPOTIFY_CONCURRENCY: String(concurrency) },
    timeouts: patient,
  })
  const port = await listen()
  return {
    simulator,
    log,
    read(): Socket {
      const reader = connect(port, '127.0.0.1')
      t.teardown(() => reader.destroy())
      reader.write(`GET /tables/tracks/read?format=${format} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      return reader
    },
    /** Holds that no more was asked for, nor is while another read takes three pages. */
    async restIsQuiet(asked: number) {
      t.equal(simulator.stats.api, asked)
      const other = await get('/tables/artists/read')
      t.equal(other.body.records.length, 140)
      t.equal(simulator.stats.api, asked + 3)
      t.strictSame(
        log.filter(({ level }) => Number(level) >= 50),
        [],
        'it is no error',
      )
    },
  }
}
