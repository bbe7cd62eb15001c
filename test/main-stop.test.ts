import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { makeLibrary } from '../src/simulator/library.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { hold } from './helpers/hold.ts'
import { startByNpm, startMain } from './helpers/main-process.ts'
import { receive } from './helpers/raw.ts'
import { readStream, recordsOf } from './helpers/read-stream.ts'
import { behindPage } from './helpers/saved-tracks.ts'
import { simulatorEnv } from './helpers/simulator-env.ts'

/** A simulated Spotify with five pages of tracks, and the variables that point at it. */
async function simulated(t: Test) {
  const simulator = await startSimulator({ library: makeLibrary({ tracks: 237 }) })
  t.teardown(() => simulator.close())
  const env = {
    ...simulatorEnv(simulator),
    DATABASE_URL: 'sqlite::memory:',
  }
  return { simulator, env }
}

t.test('SIGTERM to npm alone: a running stream ends, and with it the process', async (t) => {
  const { simulator, env } = await simulated(t)
  const { child, listening, line, ended, lines } = startByNpm(t, env)
  const port = Number(new URL(await listening()).port)
  const idle = connect(port, '127.0.0.1')
  t.teardown(() => idle.destroy())
  idle.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(idle, 'data')
  const held = hold(simulator, behindPage(2))
  const stream = await readStream(t, port, '/tables/tracks/read')
  const before = await stream.upTo('checkpoint')
  await held.arrived

  const gone = once(idle, 'close')
  child.kill('SIGTERM')
  await line(/^shutting down$/)
  await gone
  const probe = connect(port, '127.0.0.1')
  probe.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.match(await receive(probe, 1), [{ status: 503, headers: { connection: 'close' } }])
  held.release()
  const rest = await stream.rest()
  const releasedMs = Date.now()
  t.match(rest.at(-1), { end: { offset: null, has_more: false, records: 237 } })
  t.equal(recordsOf([...before, ...rest]).length, 237)
  const { code } = await ended
  t.ok(code === 0 || code === 143, `code ${code}`)
  t.ok(Date.now() - releasedMs < 3_000)
  t.equal(lines.at(-1)?.msg, 'stopped')
})

t.test(
  'a stream that outlasts the grace ends with where to go on, and the code is 0',
  async (t) => {
    const { simulator, env } = await simulated(t)
    const graceMs = 300
    const { child, listening, ended } = startMain(t, t.testdir(), {
      ...env,
      SHUTDOWN_GRACE_MS: String(graceMs),
    })
    const port = Number(new URL(await listening()).port)
    const held = hold(simulator, behindPage(2))
    const stream = await readStream(t, port, '/tables/tracks/read')
    await stream.upTo('checkpoint')
    await held.arrived
    child.kill('SIGTERM')
    const fromMs = Date.now()
    const [checkpoint, end] = (await stream.rest()).slice(-2)
    t.match(end, { end: { has_more: true, records: 98, interrupted: { code: 'shutting-down' } } })
    t.strictSame(end.end.offset, checkpoint.checkpoint.offset)
    t.strictSame(await ended, { code: 0, signal: null })
    const tookMs = Date.now() - fromMs
    t.ok(tookMs >= graceMs && tookMs < graceMs + 3_000, `${tookMs} ms`)
    held.release()
  },
)

const failures = {
  'an uncaught error': "setTimeout(() => { throw new Error('a bug') })",
  'an unhandled rejection': "Promise.reject(new Error('a bug'))",
}

for (const [what, code] of Object.entries(failures)) {
  t.test(`${what} is logged once, and ends the process`, async (t) => {
    const onSignal = `data:text/javascript,process.on('SIGUSR2', () => { ${code} })`
    const options = ['--import', encodeURI(onSignal)]
    const { child, listening, ended, lines, stderr } = startMain(t, t.testdir(), {}, options)
    await listening()
    child.kill('SIGUSR2')
    t.strictSame(await ended, { code: 1, signal: null })
    t.match(
      lines.filter(({ level }) => level >= 50),
      [{ level: 60, err: { message: 'a bug', stack: /a bug\n/ } }],
    )
    t.equal(lines.filter((line) => JSON.stringify(line).includes('a bug')).length, 1)
    t.equal(stderr(), '')
  })
}
