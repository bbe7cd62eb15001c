import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import type { SimulatedRequest } from '../../src/simulator/answer.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/simulator.ts'
import { build } from '../helpers/build.ts'

const profile = '/tables/user_profile/read'
const tokens = '/api/token'

/** A simulated Spotify that outlives its services, which share a database. */
async function start(t: Test, options: SimulatorOptions = {}) {
  const spotify = await startSimulator({ library: makeLibrary({ tracks: 1 }), ...options })
  t.teardown(() => spotify.close())
  const file = `${t.testdir()}/connector.db`
  const service = (refreshToken: string) =>
    build(t, {
      spotify,
      env: { DATABASE_URL: `sqlite:${file}`, SPOTIFY_REFRESH_TOKEN: refreshToken },
    })
  return { spotify, file, service, sent: sentTokens(spotify) }
}

/** The refresh tokens that have been sent, as they come in. */
function sentTokens({ faults }: Simulator): (string | null)[] {
  const sent: (string | null)[] = []
  faults.beforeAnswer(tokens, ({ body }: SimulatedRequest) => {
    sent.push(new URLSearchParams(body.toString()).get('refresh_token'))
  })
  return sent
}

function storedTokens(file: string): unknown[] {
  const db = new DatabaseSync(file)
  const rows = db.prepare('SELECT refresh_token AS token FROM consents').all()
  db.close()
  return rows.map(({ token }) => token)
}

t.test('a refresh token that is empty, null or the same does not replace a good one', async (t) => {
  const { spotify, file, service, sent } = await start(t)
  const first = spotify.refreshToken
  const rotated = spotify.consent()
  for (const refresh_token of [rotated, '', null, rotated]) {
    spotify.faults.add({
      on: tokens,
      fault: { kind: 'edit', edit: (body) => ({ ...body, refresh_token }) },
    })
  }

  const { get, close } = await service(first)
  for (let refreshes = 1; refreshes <= 5; refreshes++) {
    t.equal((await get(profile)).status, 200)
    spotify.expireAccessTokens()
  }
  t.strictSame(sent, [first, rotated, rotated, rotated, rotated])
  await close()
  t.strictSame(storedTokens(file), [rotated])

  const restarted = await service(first)
  t.equal((await restarted.get(profile)).status, 200)
  t.equal(sent.at(-1), rotated)
})

t.test('a token from the environment stays when no answer brings another', async (t) => {
  const { spotify, file, service, sent } = await start(t)
  const token = spotify.refreshToken
  for (const refresh_token of ['', null, token]) {
    spotify.faults.add({
      on: tokens,
      fault: { kind: 'edit', edit: (body) => ({ ...body, refresh_token }) },
    })
    const { get, close } = await service(token)
    t.equal((await get(profile)).status, 200)
    await close()
  }
  t.strictSame(sent, [token, token, token])
  t.strictSame(storedTokens(file), [null])
})

t.test(
  'another refresh token in the environment beats what is stored of the dead one',
  async (t) => {
    const { spotify, service } = await start(t)
    const good = spotify.refreshToken

    const first = await service('dead-token')
    const { status, body } = await first.get(profile)
    t.equal(status, 424)
    t.match(body, { code: 'reauthorisation-required', retryable: false, connection: 'default' })
    t.equal((await first.get(profile)).status, 424)
    t.equal(spotify.stats.token, 1, 'the second one is not asked for')
    await first.close()

    t.test('with the same token the mark stays, and the message says what to do', async (t) => {
      spotify.stats.reset()
      const { get, close } = await service('dead-token')
      const { status, body } = await get(profile)
      t.equal(status, 424)
      t.match(body.detail, /Invalid refresh token/)
      t.match(body.detail, /SPOTIFY_REFRESH_TOKEN/)
      t.match(body.detail, /npm run clear-mark -- default/)
      t.equal(spotify.stats.requests.length, 0)
      t.match((await get('/health')).body, {
        status: 'degraded',
        connections: [{ state: 'needs-consent' }],
      })
      await close()
    })

    t.test('with the good one the first read is 200', async (t) => {
      const { get, close } = await service(good)
      t.equal((await get(profile)).status, 200)
      t.match((await get('/health')).body, { status: 'ok', connections: [{ state: 'ok' }] })
      await close()
    })
  },
)

t.test('a rotated token belongs to the token that it came from', async (t) => {
  const { spotify, service, sent } = await start(t, { rotate: true })
  const read = async (token: string) => {
    const { get, close } = await service(token)
    t.equal((await get(profile)).status, 200)
    await close()
  }
  const first = spotify.refreshToken
  await read(first)
  const rotated = spotify.refreshToken
  const second = spotify.consent()
  await read(second)
  await read(first)
  t.strictSame(sent, [first, second, rotated])
})
