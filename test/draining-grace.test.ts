import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { makeLibrary } from '../src/simulator/library.ts'
import { type Simulator, startSimulator } from '../src/simulator/simulator.ts'
import { tooManyRequests } from '../src/simulator/spotify-errors.ts'
import { assertProblem } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { FakeClock } from './helpers/fake-clock.ts'
import { hold, patient, until } from './helpers/hold.ts'
import { exchange, receive } from './helpers/raw.ts'
import { readStream } from './helpers/read-stream.ts'

const graceMs = 25_000
const library = makeLibrary({ tracks: 237, playlists: 130, artists: 140, topTracks: 130 })
const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

/** A service on a clock of its own, over a simulated Spotify that outlives it. */
async function start(t: Test, env: NodeJS.ProcessEnv = {}) {
  const clock = new FakeClock()
  const spotify = await startSimulator({ library, clock })
  t.teardown(() => spotify.close())
  const built = await build(t, { spotify, clock, timeouts: patient, env })
  const port = await built.listen()
  return {
    ...built,
    spotify,
    clock,
    port,
    ask(path: string): Socket {
      const socket = connect(port, '127.0.0.1')
      t.teardown(() => socket.destroy())
      socket.write(request(path))
      return socket
    },
    /** Begins to close, and gives what waits for the end. */
    async stop() {
      const closed = built.close()
      await until(() => clock.sleeping > 0)
      return { closed }
    },
  }
}

/** What is left of a table, read by another service, in calls of one page. */
async function restOf(t: Test, spotify: Simulator, url: string | undefined) {
  const { get } = await build(t, { spotify })
  const records = []
  for (let next = url; next; ) {
    const { status, body } = await get(next)
    t.equal(status, 200)
    records.push(...body.records)
    next = body.next
  }
  return records
}

const paths = {
  tracks: '/me/tracks',
  playlists: '/me/playlists',
  artists: '/me/following',
  top_tracks: '/me/top/tracks',
}

for (const [table, path] of Object.entries(paths)) {
  for (const format of ['json', 'ndjson']) {
    t.test(
      `${table} as ${format}: the grace's end loses nothing and doubles nothing`,
      async (t) => {
        // Wherever it ends: before the second page, the third, and while it is verified.
        for (let nth = 2; ; nth++) {
          const { spotify, clock, ask, stop } = await start(t, { SPOTIFY_CONCURRENCY: '2' })
          const held = hold(spotify, path, nth)
          const reader = ask(`/tables/${table}/read?format=${format}`)
          const answered = receive(reader, 1)
          const isHeld = await Promise.race([held.arrived.then(() => true), answered])
          if (isHeld !== true) {
            t.ok(nth > 3)
            break
          }
          const { closed } = await stop()
          await clock.advance(graceMs - 1)
          t.equal(reader.destroyed, false)
          await clock.advance(1)
          const [answer] = await answered
          await closed
          held.release()
          t.equal(answer?.status, 200)
          const { records, end } = read(answer?.text ?? '', format)
          t.match(end, {
            has_more: true,
            retry_after_s: 5,
            interrupted: { code: 'shutting-down', status: 503, retryable: true },
          })
          const rest = await restOf(t, spotify, end.next.replace('format=ndjson&', ''))
          const ids = [...records, ...rest].map((record) => record.track?.id ?? record.id)
          const whole = await restOf(t, spotify, `/tables/${table}/read`)
          t.strictSame(
            ids.sort(),
            whole.map((record) => record.track?.id ?? record.id).sort(),
            `ended at request ${nth}, with ${records.length} rows`,
          )
        }
      },
    )
  }
}

t.test('with nothing read yet, the end of the grace is the problem at once', async (t) => {
  for (const format of ['json', 'ndjson']) {
    const { spotify, clock, ask, stop } = await start(t)
    const held = hold(spotify, '/me/tracks')
    const reader = ask(`/tables/tracks/read?format=${format}`)
    await held.arrived
    const { closed } = await stop()
    await clock.advance(graceMs)
    const [answer] = await receive(reader, 1)
    assertProblem(t, answer as never, 'shutting-down')
    t.equal(answer?.headers['retry-after'], '5')
    t.equal(answer?.headers.connection, 'close')
    await closed
    held.release()
  }
})

t.test('a read that waits at the gate, or between attempts, ends with the grace', async (t) => {
  for (const format of ['json', 'ndjson']) {
    const { spotify, clock, ask, stop, log } = await start(t, { SHUTDOWN_GRACE_MS: '3000' })
    spotify.faults.add({ on: '/me/tracks', fault: tooManyRequests(15) })
    const reader = ask(`/tables/tracks/read?format=${format}`)
    await until(() => clock.sleeping >= 1 && spotify.stats.api === 1)
    const { closed } = await stop()
    await clock.advance(3_000)
    assertProblem(t, (await receive(reader, 1))[0] as never, 'shutting-down')
    await closed
    t.equal(spotify.stats.api, 1, 'and asks for nothing more')
    t.notOk(log.some(({ level }) => Number(level) >= 50))
  }
})

t.test('a refresh that is under way brings its rotated token home', async (t) => {
  const clock = new FakeClock()
  const spotify = await startSimulator({ library, clock, rotate: true })
  t.teardown(() => spotify.close())
  const env = { DATABASE_URL: `sqlite:${t.testdir()}/connector.db` }
  const configured = spotify.refreshToken
  const { listen, close } = await build(t, { spotify, clock, timeouts: patient, env })
  const port = await listen()
  const refresh = hold(spotify, '/api/token')
  const reader = connect(port, '127.0.0.1')
  reader.write(request('/tables/user_profile/read'))
  await refresh.arrived
  const closed = close()
  await until(() => clock.sleeping > 0)
  await clock.advance(graceMs)
  assertProblem(t, (await receive(reader, 1))[0] as never, 'shutting-down')
  refresh.release()
  await closed
  t.not(spotify.refreshToken, configured)
  const next = await build(t, { spotify, env: { ...env, SPOTIFY_REFRESH_TOKEN: configured } })
  t.equal((await next.get('/tables/user_profile/read')).status, 200)
})

t.test('meanwhile probes see 503, and the grace may be 0', async (t) => {
  const { port, spotify, ask, stop, clock } = await start(t, { SHUTDOWN_GRACE_MS: '1' })
  const held = hold(spotify, '/me')
  const reader = ask('/tables/user_profile/read')
  await held.arrived
  const { closed } = await stop()
  assertProblem(t, (await exchange(port, request('/readyz')))[0] as never, 'shutting-down')
  await clock.advance(1)
  assertProblem(t, (await receive(reader, 1))[0] as never, 'shutting-down')
  await closed
  held.release()

  const hasty = await start(t, { SHUTDOWN_GRACE_MS: '0' })
  const other = hold(hasty.spotify, '/me')
  const cut = hasty.ask('/tables/user_profile/read')
  await other.arrived
  const ended = hasty.close()
  assertProblem(t, (await receive(cut, 1))[0] as never, 'shutting-down')
  await ended
  other.release()
})

t.test('a reader that takes nothing is cut off 3 s after the grace', async (t) => {
  const clock = new FakeClock()
  const many = makeLibrary({ tracks: 8_000 })
  const { app, simulator, listen, close, log } = await build(t, {
    simulator: { library: many, clock },
    clock,
    timeouts: patient,
  })
  const port = await listen()
  const connected = once(app.server, 'connection')
  await readStream(t, port, '/tables/tracks/read?max_pages=1000')
  const [socket] = (await connected) as [Socket]
  await until(() => socket.writableNeedDrain && simulator.stats.inFlight === 0)
  const closed = close()
  await until(() => clock.sleeping > 0)
  await clock.advance(graceMs)
  await until(() => log.some(({ msg }) => /^the grace is over/.test(String(msg))))
  await clock.advance(2_999)
  t.notOk(socket.destroyed)
  await clock.advance(1)
  await closed
  t.ok(socket.destroyed)
})

/** The rows of an answer, and what it has beside them. */
function read(text: string, format: string) {
  if (format === 'json') {
    const { records, ...end } = JSON.parse(text)
    return { records, end }
  }
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const last = lines.at(-1)
  const before = lines.at(-2)
  t.same(before.checkpoint?.offset ?? last.end.offset, last.end.offset, 'a checkpoint before it')
  return { records: lines.flatMap(({ record }) => record ?? []), end: last.end }
}
