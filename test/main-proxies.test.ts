import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeLibrary } from '../src/simulator/library.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { cert } from './helpers/certificate.ts'
import { startMain } from './helpers/main-process.ts'
import { startProxy } from './helpers/proxy.ts'
import { simulatorEnv } from './helpers/simulator-env.ts'
import { startTlsFront } from './helpers/tls-front.ts'

/** A Spotify that only a proxy reaches, by names that nobody else knows. */
async function start(t: Test, names: { https?: string } = {}) {
  const simulator = await startSimulator({ library: makeLibrary({ tracks: 237 }) })
  t.teardown(() => simulator.close())
  const front = await startTlsFront(t, simulator.apiUrl, { goAwayAfter: 3 })
  const proxy = await startProxy(t, front.port)
  const dir = t.testdir()
  writeFileSync(join(dir, 'ca.pem'), cert)
  const env = {
    ...simulatorEnv(simulator),
    SPOTIFY_API_URL: 'https://spotify.test/v1',
    SPOTIFY_ACCOUNTS_URL: 'https://spotify.test/accounts',
    DATABASE_URL: 'sqlite::memory:',
    LOG_LEVEL: 'trace',
    NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem'),
    READ_WAIT_BUDGET_MS: '0',
    [names.https ?? 'HTTPS_PROXY']: `http://me:hush%21word@127.0.0.1:${proxy.port}`,
  }
  return { front, proxy, dir, env }
}

t.test(
  'accounts and API are reached through the proxy, whose password is in no line',
  async (t) => {
    const { proxy, dir, env } = await start(t)
    const { child, listening, ended, written, stderr } = startMain(t, dir, env)
    const origin = await listening()
    const answer = await fetch(`${origin}/tables/tracks/read`)
    const { records, has_more } = (await answer.json()) as { records: unknown[]; has_more: boolean }
    t.equal(records.length, 237)
    t.equal(has_more, false)
    t.strictSame(new Set(proxy.seen), new Set(['CONNECT spotify.test:443']))
    proxy.refuseWith(407)
    child.kill('SIGTERM')
    t.strictSame(await ended, { code: 0, signal: null })
    t.equal(stderr(), '')
    t.notMatch(written(), /hush|aHVzaC|bWU6aHVza/)
  },
)

t.test('a proxy that refuses is an upstream-error that says what to do', async (t) => {
  const { proxy, dir, env } = await start(t, { https: 'https_proxy' })
  const { listening, written } = startMain(t, dir, env)
  const origin = await listening()
  const read = async () => {
    const answer = await fetch(`${origin}/tables/tracks/read`)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  proxy.refuseWith(407)
  t.match(await read(), {
    status: 502,
    body: {
      code: 'upstream-error',
      retryable: true,
      detail: /the proxy of https_proxy asks for a user and a password.*Put them into https_proxy/,
    },
  })
  proxy.close()
  t.match(await read(), {
    status: 502,
    body: { code: 'upstream-error', detail: /no connection to the proxy of https_proxy/ },
  })
  t.equal((await fetch(`${origin}/readyz`)).status, 200)
  t.notMatch(written(), /hush|bWU6aHVza/)
})

t.test('the demo never asks a proxy for its own Spotify', async (t) => {
  const env = { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' }
  const { listening } = startMain(t, t.testdir(), env)
  const answer = await fetch(`${await listening()}/tables/user_profile/read`)
  t.equal(answer.status, 200)
  await answer.body?.cancel()
})

t.test('a malformed proxy ends the start with one line, without its password', async (t) => {
  const env = { https_proxy: 'http://me:hush@proxy.example:port' }
  const { ended, stderr, written } = startMain(t, t.testdir(), env)
  t.strictSame(await ended, { code: 1, signal: null })
  t.match(stderr(), /^configuration: https_proxy is set to .+\n$/)
  t.notMatch(written(), /hush/)
})
