import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import type { SimulatedRequest } from '../../src/simulator/answer.ts'
import type { Replacement } from '../../src/simulator/faults.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { unauthorized } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'

type Status = Extract<Replacement, { kind: 'status' }>
type Say = (request: SimulatedRequest) => string

const profile = '/tables/user_profile/read'
const tokens = '/api/token'
const freshToken = () => `BQ${randomBytes(60).toString('base64url')}`

/** So much of a secret is a leak, too: what others said is cut off somewhere. */
const telling = 16

/** Services over one Spotify and one database; `leaks` says which secrets got out so far. */
async function start(t: Test) {
  const clock = new LeapingClock()
  const spotify = await startSimulator({ clock, clientSecret: 'short-secret' })
  t.teardown(() => spotify.close())
  const { clientId, clientSecret, refreshToken } = spotify
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const secrets = new Set([clientSecret, refreshToken, basic])
  // Each access token goes over the wire.
  spotify.faults.add({
    on({ headers }) {
      secrets.add(String(headers.authorization).replace(/^\w+ /, ''))
      return false
    },
    fault: { kind: 'reset' },
  })
  const env = {
    DATABASE_URL: `sqlite:${t.testdir()}/connector.db`,
    SPOTIFY_REFRESH_TOKEN: refreshToken,
  }
  const told: string[] = []
  const service = async () => {
    const { get, log, close } = await build(t, { clock, spotify, env })
    return {
      get: async (url: string) => {
        const answer = await get(url)
        told.push(JSON.stringify(answer))
        return answer
      },
      close: () => close().then(() => told.push(JSON.stringify(log))),
    }
  }
  const leaks = () => {
    const text = told.join('\n')
    return [...secrets].filter((secret) => partsOf(secret).some((part) => text.includes(part)))
  }
  return { spotify, service, secrets, leaks }
}

function partsOf(secret: string): string[] {
  if (secret.length < telling) return [secret]
  const begins = Array.from({ length: secret.length - telling + 1 }, (_, at) => at)
  return begins.map((at) => secret.slice(at, at + telling))
}

/** Makes the next answer of a path, once, from its request. */
function answerOnce({ faults }: Simulator, path: string, make: (say: SimulatedRequest) => object) {
  const fault: Status = { kind: 'status', status: 403 }
  faults.add({
    on(request) {
      if (request.path !== path) return false
      Object.assign(fault, make(request))
      return true
    },
    fault,
  })
}

/** Ways to say the request's secrets back; a message is quoted up to 200 characters. */
const sayings: Record<string, Say> = {
  'all of it': ({ headers, body }) => `We got ${headers.authorization} and ${body}`,
  'in HTML': ({ headers, body }) => `<p>${headers.authorization}</p><p>${body}</p>`,
  'without the scheme': ({ headers }) =>
    `${headers.authorization}`.replace(/^\w+ /, 'authorization='),
  'cut off early': ({ headers }) => `${'x '.repeat(80)}${headers.authorization}`,
  'cut off late': ({ headers }) => `${'x '.repeat(64)}${headers.authorization}`,
  'cut off in the form': ({ body }) => `${'x '.repeat(60)}${body}`,
}

t.test('nothing that Spotify says of a secret gets into an answer or the log', async (t) => {
  const { spotify, service, secrets, leaks } = await start(t)
  const { get, close } = await service()
  const rotated = spotify.consent()
  secrets.add(rotated)
  spotify.faults.add({
    on: tokens,
    fault: { kind: 'edit', edit: (body) => ({ ...body, refresh_token: rotated }) },
  })
  t.equal((await get(profile)).status, 200, 'with a rotation')
  spotify.faults.add({ on: '/me', fault: unauthorized() })
  t.equal((await get(profile)).status, 200, 'with a 401')

  for (const [how, say] of Object.entries(sayings)) {
    const forms = [
      (request: SimulatedRequest) => ({ body: say(request) }),
      (request: SimulatedRequest) => ({ body: { error: { status: 0, message: say(request) } } }),
    ]
    for (const form of forms) {
      for (const [status, seen] of [
        [403, 403],
        [400, 502],
        [500, 200],
        [429, 200],
      ] as const) {
        answerOnce(spotify, '/me', (request) => ({ ...form(request), status }))
        t.equal((await get(profile)).status, seen, `${status}, ${how}`)
      }
    }
    for (const [status, error, seen] of [
      [400, 'invalid_request', 502],
      [401, 'invalid_client', 424],
      [503, 'server_error', 200],
    ] as const) {
      spotify.expireAccessTokens()
      answerOnce(spotify, tokens, (request) => ({
        status,
        body: { error, error_description: say(request) },
      }))
      t.equal((await get(profile)).status, seen, `${error}, ${how}`)
    }
  }
  await close()
  t.ok(secrets.size > 6, `${secrets.size} secrets`)
  t.strictSame(leaks(), [])
})

t.test('nothing of a token in an answer that is spoilt gets out', async (t) => {
  const { spotify, service, secrets, leaks } = await start(t)
  const { get, close } = await service()
  const spoil: Record<string, (access: string, refresh: string) => object> = {
    'half of the JSON': (access, refresh) => ({
      body: `{"refresh_token":"${refresh}","access_token":"${access}"`,
    }),
    'a form': (access, refresh) => ({ body: `access_token=${access}&refresh_token=${refresh}` }),
    'an array': (access, refresh) => ({ body: [access, refresh] }),
    'a token that is no text': (access, refresh) => ({
      body: { access_token: [access], refresh_token: refresh },
    }),
    'another status': (access, refresh) => ({
      status: 201,
      body: { access_token: access, refresh_token: refresh },
    }),
    'a redirect': (access) => ({
      status: 302,
      headers: { location: `https://a.example/${access}` },
    }),
  }
  for (const [name, make] of Object.entries(spoil)) {
    for (const times of [1, 4]) {
      spotify.expireAccessTokens()
      for (let time = 1; time <= times; time++) {
        const fresh = [freshToken(), freshToken()] as const
        for (const token of fresh) secrets.add(token)
        answerOnce(spotify, tokens, () => ({ status: 200, ...make(...fresh) }))
      }
      t.equal((await get(profile)).status, times === 1 ? 200 : 502, `${name}, ${times} times`)
    }
  }
  await close()
  t.strictSame(leaks(), [])
})

t.test('a mark tells nothing of its token, after a restart either', async (t) => {
  const { spotify, service, leaks } = await start(t)
  answerOnce(spotify, tokens, ({ headers, body }) => ({
    status: 400,
    body: { error: 'invalid_grant', error_description: `${headers.authorization} ${body}` },
  }))
  for (const _start of [1, 2]) {
    const { get, close } = await service()
    t.match(await get(profile), { status: 424, body: { code: 'reauthorisation-required' } })
    await get('/health')
    await close()
  }
  t.equal(spotify.stats.token, 1)
  t.strictSame(leaks(), [])
})

t.test('a secret in the wrong place of a request is told to nobody', async (t) => {
  const { spotify, service, secrets, leaks } = await start(t)
  const { get, close } = await service()
  t.equal((await get(profile)).status, 200)
  for (const secret of secrets) {
    const it = encodeURIComponent(secret)
    for (const url of [`limit=${it}`, `offset=${it}`, `connection=${it}`, `${it}=1`, `key=${it}`]) {
      const { status } = await get(`${profile}?${url}`)
      t.ok(status === 400 || status === 404)
    }
    t.equal((await get(`/tables/${it}/read`)).status, 404)
  }
  await close()
  t.equal(spotify.stats.api, 1)
  t.strictSame(leaks(), [])
})
