import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type SimulatorOptions, startSimulator } from '../src/simulator/simulator.ts'
import { forbidden, quotaExceeded, tokenError } from '../src/simulator/spotify-errors.ts'
import { hold } from './helpers/hold.ts'
import { startMain } from './helpers/main-process.ts'
import { receive } from './helpers/raw.ts'
import { simulatorEnv } from './helpers/simulator-env.ts'

// Two dozen processes, one after the other, on a busy machine.
t.setTimeout(90_000)

const profile = '/tables/user_profile/read'

/** A simulated Spotify, the variables that point at it, and all secrets that were sent to it. */
async function simulated(t: Test, options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options)
  t.teardown(() => simulator.close())
  const refreshTokens: string[] = []
  const secrets = new Set([simulator.clientSecret, simulator.refreshToken])
  simulator.faults.beforeAnswer(
    () => true,
    ({ headers, body }) => {
      secrets.add(String(headers.authorization).replace(/^\w+ /, ''))
      const token = new URLSearchParams(body.toString()).get('refresh_token')
      if (token === null) return
      refreshTokens.push(token)
      secrets.add(token)
    },
  )
  const env = simulatorEnv(simulator)
  return { simulator, env, secrets, refreshTokens }
}

/** A kept connection to an origin, and a request on it. */
function ask(t: Test, origin: string, path: string) {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  return socket
}

t.test('without any variable it is a demo that answers, and leaves no file', async (t) => {
  const dir = t.testdir()
  const { child, lines, listening, ended, stderr } = startMain(t, dir, {})
  const origin = await listening()
  t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.ok(lines.some(({ level, msg }) => level === 40 && /^DEMO: /.test(msg)))
  for (const path of [profile, '/docs', '/health']) {
    const answer = await fetch(`${origin}${path}`)
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('x-demo'), 'true')
    await answer.arrayBuffer()
  }
  child.kill('SIGTERM')
  t.strictSame(await ended, { code: 0, signal: null })
  t.equal(lines.at(-1)?.msg, 'stopped')
  t.equal(stderr(), '')
  t.strictSame(readdirSync(dir), [])
})

t.test('SIGINT ends it as SIGTERM does', async (t) => {
  const { child, listening, ended } = startMain(t, t.testdir())
  await listening()
  child.kill('SIGINT')
  t.strictSame(await ended, { code: 0, signal: null })
})

const wrong: Record<string, [env: NodeJS.ProcessEnv, said: RegExp]> = {
  'a port that is none': [{ PORT: 'http' }, /PORT is "http"; allowed: /],
  'a host of another machine': [
    { HOST: '192.0.2.1', ALLOW_ANONYMOUS: 'true', DEMO: 'true' },
    /HOST 192\.0\.2\.1 is no address of this machine/,
  ],
  'a host that nobody knows': [
    { HOST: 'nobody.invalid', ALLOW_ANONYMOUS: 'true', DEMO: 'true' },
    /HOST nobody\.invalid is no address of this machine/,
  ],
  'a file that is missing': [
    { SPOTIFY_CLIENT_ID: 'id', SPOTIFY_CLIENT_SECRET_FILE: '/nowhere/secret' },
    /SPOTIFY_CLIENT_SECRET_FILE "\/nowhere\/secret" can't be read/,
  ],
  'an access key that no client can send': [
    { API_KEYS: 'hush1,hush 2' },
    /API_KEYS has a key, no\. 2, of other characters/,
  ],
  'access keys for nobody': [
    { API_KEYS: 'hush-hush-hush-hush', ALLOW_ANONYMOUS: 'true' },
    /ALLOW_ANONYMOUS is true, but API_KEYS is set/,
  ],
  'an encryption key of 16 bytes': [
    { DATABASE_ENCRYPTION_KEY: `${'hush'.repeat(5)}hu==`, DEMO: 'true' },
    /DATABASE_ENCRYPTION_KEY is set to what is not shown here; allowed: 32 bytes in base64/,
  ],
  'access keys without an account': [
    { API_KEYS: 'hush-hush-hush-hush' },
    /SPOTIFY_CLIENT_ID is not set, and API_KEYS is set/,
  ],
  'another kind of database': [
    { DATABASE_URL: 'postgres://me:hush@db/x', DEMO: 'true' },
    /DATABASE_URL is set to what is not shown here; allowed: sqlite:/,
  ],
  'a directory as the database': [{ DATABASE_URL: 'sqlite:/' }, /DATABASE_URL: .*directory/],
  'a database below a file': [
    { DATABASE_URL: `sqlite:${process.execPath}/connector.db` },
    /DATABASE_URL: .* can't be opened/,
  ],
  'a name that is too long': [
    { DATABASE_URL: `sqlite:/tmp/${'x'.repeat(300)}` },
    /DATABASE_URL: .* can't be opened/,
  ],
}

t.test('what is configured wrong ends it with one line', { jobs: 4 }, async (t) => {
  for (const [what, [env, said]] of Object.entries(wrong)) {
    t.test(what, { buffered: true }, async (t) => {
      const dir = t.testdir()
      const { ended, stderr, written } = startMain(t, dir, env)
      t.strictSame(await ended, { code: 1, signal: null })
      t.match(stderr(), /^configuration: .+\n$/, 'one line, and no stack')
      t.match(stderr(), said)
      t.notMatch(written(), 'hush')
      t.strictSame(readdirSync(dir), [])
    })
  }
})

t.test('an encrypted database ends a start without its key with one line', async (t) => {
  const { env } = await simulated(t, { rotate: true })
  const dir = t.testdir()
  const key = 'hush'.repeat(10)
  const keyed = { ...env, DATABASE_ENCRYPTION_KEY: `${key}hus=` }
  const first = startMain(t, dir, keyed)
  t.equal((await fetch(`${await first.listening()}${profile}`)).status, 200, 'with a rotation')
  first.child.kill('SIGTERM')
  await first.ended

  const path = join(dir, '.data', 'connector.db')
  const before = readFileSync(path)
  const others = {
    'is not set': env,
    'is another key': { ...env, DATABASE_ENCRYPTION_KEY: `${key}huo=` },
  }
  for (const [said, its] of Object.entries(others)) {
    const { ended, stderr, written } = startMain(t, dir, its)
    t.strictSame(await ended, { code: 1, signal: null })
    t.match(stderr(), new RegExp(`^configuration: DATABASE_ENCRYPTION_KEY ${said}, .+\\n$`))
    t.notMatch(written(), 'hush')
    t.ok(readFileSync(path).equals(before), 'nothing is changed')
  }
  const again = startMain(t, dir, keyed)
  t.equal((await fetch(`${await again.listening()}${profile}`)).status, 200)
})

t.test('a port that is in use ends it with one line', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const port = String((other.address() as AddressInfo).port)
  const { ended, stderr } = startMain(t, t.testdir(), { PORT: port })
  t.strictSame(await ended, { code: 1, signal: null })
  t.match(stderr(), new RegExp(`^configuration: PORT ${port} of 127\\.0\\.0\\.1 is in use: .+\\n$`))
})

t.test('one process at a time has the database, and none reads made-up rows over it', async (t) => {
  const { env } = await simulated(t)
  const dir = t.testdir()
  const first = startMain(t, dir, env)
  const origin = await first.listening()
  t.equal((await fetch(`${origin}${profile}`)).status, 200)
  t.strictSame(readdirSync(dir), ['.data'])

  const second = startMain(t, dir, env)
  t.strictSame(await second.ended, { code: 1, signal: null })
  t.match(second.stderr(), /^configuration: DATABASE_URL: ".*" is in use by another process.+\n$/)

  first.child.kill('SIGTERM')
  t.strictSame(await first.ended, { code: 0, signal: null })
  const lost = startMain(t, dir, {})
  t.strictSame(await lost.ended, { code: 1, signal: null })
  t.match(lost.stderr(), /^configuration: .*the database holds connections that need it.+\n$/)
  const third = startMain(t, dir, env)
  t.equal((await fetch(`${await third.listening()}${profile}`)).status, 200)
})

t.test(
  'SIGTERM lets the running read end, kept connections or not, and then it is gone',
  async (t) => {
    const { simulator, env } = await simulated(t)
    const { child, listening, line, ended, stderr } = startMain(t, t.testdir(), env)
    const origin = await listening()
    const idle = ask(t, origin, '/livez')
    await once(idle, 'data')
    const held = hold(simulator, '/me')
    const reader = ask(t, origin, profile)
    await held.arrived

    // As to a process group: once directly, once through npm.
    child.kill('SIGTERM')
    await line(/shutting down/)
    child.kill('SIGTERM')
    const probe = ask(t, origin, '/readyz')
    t.equal((await receive(probe, 1))[0]?.status, 503)
    held.release()
    const [answer] = await receive(reader, 1)
    t.equal(answer?.status, 200)
    const releasedMs = Date.now()
    t.strictSame(await ended, { code: 0, signal: null })
    t.ok(Date.now() - releasedMs < 3_000)
    t.equal(stderr(), '')
  },
)

t.test('a second SIGTERM ends it at once', async (t) => {
  const { simulator, env } = await simulated(t)
  const { child, listening, line, ended } = startMain(t, t.testdir(), env)
  const origin = await listening()
  const held = hold(simulator, '/me')
  const reader = ask(t, origin, profile)
  reader.on('error', () => reader.destroy())
  await held.arrived
  child.kill('SIGTERM')
  await line(/shutting down/)
  // Nearer together they would be one signal that came twice.
  await delay(600)
  child.kill('SIGTERM')
  t.strictSame(await ended, { code: 1, signal: null })
  held.release()
})

t.test('no secret is in any line, whatever goes wrong, at any level', async (t) => {
  const { simulator, env, secrets, refreshTokens } = await simulated(t, { rotate: true })
  const more = { LOG_LEVEL: 'trace', READ_WAIT_BUDGET_MS: '0' }
  const { child, listening, ended, written, lines } = startMain(t, t.testdir(), { ...env, ...more })
  const origin = await listening()
  let told = ''
  const read = async (table: string) => {
    const answer = await fetch(`${origin}/tables/${table}/read`)
    told += JSON.stringify([...answer.headers]) + (await answer.text())
    return answer.status
  }
  t.equal(await read('user_profile'), 200, 'with a first rotation')
  simulator.expireAccessTokens()
  t.equal(await read('user_profile'), 200, 'a 401, and another rotation')
  simulator.faults.add({ on: '/me/playlists', fault: quotaExceeded() })
  t.equal(await read('playlists'), 429)
  // Spotify says back what it was sent: the text goes into the answer and the log.
  for (const secret of [...secrets, simulator.refreshToken]) {
    const fault = { ...forbidden('premium'), body: `You said: ${secret}` }
    simulator.faults.add({ on: '/me/albums', fault })
    t.equal(await read('albums'), 403)
  }
  t.match(told, 'You said: [redacted]')
  simulator.expireAccessTokens()
  const refusal = tokenError('invalid_grant', `You said: ${simulator.refreshToken}`)
  simulator.faults.add({ on: '/api/token', fault: refusal })
  t.equal(await read('user_profile'), 424)
  t.equal(await read('tracks'), 424)
  told += await (await fetch(`${origin}/health`)).text()
  child.kill('SIGTERM')
  t.strictSame(await ended, { code: 0, signal: null })

  t.match(written(), 'You said: [redacted]')
  secrets.add(simulator.refreshToken)
  t.equal(new Set(refreshTokens).size, 3)
  t.ok(secrets.size >= 1 + 1 + 3 + 2, 'client secret, Basic, refresh and access tokens')
  t.ok(lines.length > 8)
  for (const secret of secrets) {
    t.notOk(written().includes(secret), 'the log')
    t.notOk(told.includes(secret), 'the answers')
  }
})

t.test('a process killed right behind a rotation goes on with the new token', async (t) => {
  const { simulator, env, refreshTokens } = await simulated(t, { rotate: true })
  const dir = t.testdir()
  const first = startMain(t, dir, env)
  const origin = await first.listening()
  // The first request with the access token that came with the rotated one.
  const asked = hold(simulator, '/me')
  const reader = ask(t, origin, profile)
  reader.on('error', () => reader.destroy())
  await asked.arrived
  first.child.kill('SIGKILL')
  t.strictSame(await first.ended, { code: null, signal: 'SIGKILL' })
  asked.release()

  const rotated = simulator.refreshToken
  t.not(rotated, env.SPOTIFY_REFRESH_TOKEN)
  const second = startMain(t, dir, env)
  t.equal((await fetch(`${await second.listening()}${profile}`)).status, 200)
  t.strictSame(refreshTokens, [env.SPOTIFY_REFRESH_TOKEN, rotated])
})
