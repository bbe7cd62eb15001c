import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { createTransport } from '../../src/spotify/transport.ts'
import { build } from '../helpers/build.ts'
import { cert } from '../helpers/certificate.ts'
import { holdTogether, patient } from '../helpers/hold.ts'
import { rawServer } from '../helpers/raw-server.ts'
import { askedByPlace, behindPage, endsWhole, ninePages } from '../helpers/saved-tracks.ts'
import { startTlsFront } from '../helpers/tls-front.ts'

const library = ninePages
const pages = 9
const read = '/tables/tracks/read'

/** A simulated Spotify behind connections that a test can see and end. */
async function behind(t: Test, serve: (reader: Socket, spotify: Socket) => void) {
  const spotify = await startSimulator({ library })
  t.teardown(() => spotify.close())
  const { port } = await rawServer(t, (reader) => {
    const there = connect(Number(new URL(spotify.apiUrl).port), '127.0.0.1')
    there.on('error', () => reader.destroy())
    reader.once('close', () => there.destroy())
    there.once('close', () => reader.destroy())
    reader.pipe(there).pipe(reader)
    serve(reader, there)
  })
  return { spotify, ...(await over(t, spotify, port)) }
}

/** A service that reaches the simulated Spotify by another port. */
async function over(t: Test, spotify: Simulator, port: number) {
  const env = {
    SPOTIFY_API_URL: `http://127.0.0.1:${port}/v1`,
    SPOTIFY_ACCOUNTS_URL: `http://127.0.0.1:${port}/accounts`,
  }
  return build(t, { spotify, env, timeouts: patient })
}

/** The requests beyond one for each page. */
function extra({ stats }: Simulator): number {
  return Object.values(askedByPlace(stats)).reduce((sum, times) => sum + times, 0) - pages
}

t.test('a server of HTTP/2 that sends connections away is asked over HTTP/1.1', async (t) => {
  const spotify = await startSimulator({ library })
  t.teardown(() => spotify.close())
  const front = await startTlsFront(t, spotify.apiUrl, { goAwayAfter: 20 })
  const transport = createTransport(undefined, { ca: cert })
  t.teardown(() => transport.close())
  const ask = () =>
    transport.send({ method: 'GET', url: `https://localhost:${front.port}/v1/me`, headers: {} })
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 8 }, ask))
    t.ok(answers.every(({ status }) => status === 401))
  }
  t.equal(front.versions.length, 80)
  t.strictSame(new Set(front.versions), new Set(['1.1']))
  t.ok(front.connections() <= 20, `${front.connections()} connections, which are kept`)
})

t.test('connections that are closed while they idle cost no read a row', async (t) => {
  const idleMs = 100
  const { spotify, get } = await behind(t, (reader) => {
    reader.setTimeout(idleMs, () => reader.destroy())
  })
  // Around the moment at which they close, a request may just be on its way.
  for (const pauseMs of [idleMs / 2, idleMs - 2, idleMs, idleMs + 2, idleMs * 2]) {
    endsWhole(t, await get(read), `${pauseMs} ms later`, { library })
    await delay(pauseMs)
  }
  t.ok(extra(spotify) - 4 * pages <= 4 * 8, 'at most once more for each kept connection')
})

t.test('a connection that is lost with a page costs that page one attempt', async (t) => {
  const readers = new Map<number | undefined, Socket>()
  const { spotify, get } = await behind(t, (reader, there) =>
    there.once('connect', () => readers.set(there.localPort, reader)),
  )
  const together = holdTogether(spotify, behindPage(1), { count: 8 })
  const answer = get(read)
  await together.arrived
  ;[...readers.values()].at(-1)?.destroy()
  together.release()
  endsWhole(t, await answer, 'whole', { library })
  t.equal(extra(spotify), 1)
  t.equal(Math.max(...Object.values(askedByPlace(spotify.stats))), 2)
})
