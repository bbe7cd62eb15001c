import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { type Answer, ask, assertProblem } from '../helpers/answer.ts'
import { Browser } from '../helpers/browser.ts'
import { build } from '../helpers/build.ts'

const plain = 'plain-key-plain-key'
const ofAnna = 'anna-key-anna-key-x'
const ofDefault = 'default-key-default'
const ofNobody = 'nobody-key-nobody-k'
const env = {
  API_KEYS: `${plain},${ofAnna}@anna,${ofDefault}@default,${ofNobody}@bert+berta`,
}
const profile = '/tables/user_profile/read'

/** A service with keys that listens, over a simulated Spotify with two accounts. */
async function start(t: Test, more: NodeJS.ProcessEnv = {}) {
  const accounts = [1, 2].map((seed) => ({ library: makeLibrary({ tracks: seed, seed }) }))
  const spotify = await startSimulator({ accounts, rotate: true })
  t.teardown(() => spotify.close())
  const service = await build(t, { spotify, env: { ...env, ...more } })
  const base = `http://127.0.0.1:${await service.listen()}`
  const get = (url: string, key: string, method: 'GET' | 'DELETE' | 'HEAD' = 'GET') =>
    ask(service.app, { method, url, headers: { authorization: `Bearer ${key}` } })
  /** The link for a consent, of a check of the connection. */
  const linkFor = async (name: string, key = plain) =>
    String(JSON.parse((await get(`/connections/${name}/check`, key)).text).authorize_url)
  return { ...service, spotify, base, get, linkFor }
}

const bodyOf = ({ text }: Answer) => JSON.parse(text)

t.test('with keys, a browser consents by a link with a ticket, which is good once', async (t) => {
  const { spotify, base, get, linkFor, log } = await start(t)
  assertProblem(t, await get('/connections/anna/check', plain), 'connection-not-found')
  const link = await linkFor('anna')
  t.match(link, new RegExp(`^${base}/connections/anna/authorize\\?ticket=[\\w-]{43}$`))

  const browser = new Browser()
  t.equal((await browser.open(link.replace(/\?.*/, ''))).status, 401)
  t.equal((await browser.open(link.replace('anna', 'bert'))).status, 401)
  const page = await browser.consent(link, spotify, { account: 1 })
  t.match(page, { status: 200, text: /Connection anna is authorised/ })
  t.equal((await browser.open(link)).status, 401, 'a second time')
  t.equal((await get(`${profile}?connection=anna`, plain)).status, 200)
  const ticket = new URL(link).searchParams.get('ticket') as string
  t.notOk(JSON.stringify(log).includes(ticket))
})

t.test('a bound key finds and is told of its own connections only, everywhere', async (t) => {
  const { spotify, get, linkFor, app } = await start(t)
  await new Browser().consent(await linkFor('anna'), spotify, { account: 1 })
  for (const name of ['anna', 'default']) {
    t.equal((await get(`${profile}?connection=${name}`, plain)).status, 200)
    t.equal((await get(`/connections/${name}/check`, plain)).status, 200)
  }
  const listed = async (key: string) =>
    bodyOf(await get('/connections', key)).connections.map((one: { name: string }) => one.name)
  t.strictSame(await listed(plain), ['default', 'anna'])
  t.strictSame(await listed(ofAnna), ['anna'])
  t.strictSame(await listed(ofDefault), ['default'])
  t.strictSame(await listed(ofNobody), [])

  const anna = spotify.accounts[1]?.library.me
  const { paths } = bodyOf(await ask(app, '/openapi.json'))
  const bound = [
    [ofAnna, ['default', 'bert']],
    [ofDefault, ['anna', 'bert']],
    [ofNobody, ['anna', 'default']],
  ] as const
  for (const [key, others] of bound) {
    for (const [path, methods] of Object.entries<object>(paths)) {
      if (path === '/openapi.json') continue
      const method = 'delete' in methods ? 'DELETE' : 'GET'
      for (const other of others) {
        // What was sent is told back, and nothing else may name it.
        const url = path.replace('/tables/{name}', '/tables/user_profile').replace('{name}', other)
        const answers = [await get(url, key, method)]
        if (path.endsWith('/read')) answers.push(await get(`${url}?connection=${other}`, key))
        for (const { status, text } of answers) {
          const told = text
            .replaceAll(`There is no connection \\"${other}\\"`, '')
            .replaceAll(url, '')
          t.notMatch(told, new RegExp(`["\\s/]${other}\\b(?!":)`), `${url}: ${status}`)
          if (key !== ofAnna) t.notMatch(text, anna?.account_id as string)
          if (path.includes('{name}') && !path.startsWith('/tables')) t.equal(status, 404, url)
          t.notMatch(text, 'ticket=')
        }
      }
    }
    const own = key === ofAnna ? ['anna'] : key === ofDefault ? ['default'] : []
    for (const url of [`${profile}?connection=nobody`, '/connections/nobody/check']) {
      const problem = assertProblem(t, await get(url, key), 'connection-not-found')
      t.strictSame(problem.connections, own)
    }
  }
  const implied = assertProblem(t, await get(profile, ofAnna), 'connection-not-found')
  t.match(implied.detail, 'There is no connection "default". The connections are: anna.')
  t.equal((await get(`${profile}?connection=anna`, ofAnna)).status, 200)
  t.equal((await get('/connections/anna/check', ofAnna)).status, 200)
  t.match(
    await linkFor('berta', ofNobody),
    '/connections/berta/authorize?ticket=',
    'a new one of its own',
  )
  t.strictSame(await listed(plain), ['default', 'anna'])
})

t.test(
  'a database that fails for one connection does not name it to the key of another',
  async (t) => {
    const file = `${t.testdir()}/connector.db`
    const { spotify, get, linkFor } = await start(t, { DATABASE_URL: `sqlite:${file}` })
    await new Browser().consent(await linkFor('anna'), spotify, { account: 1 })
    renameSync(file, `${file}.moved`)
    spotify.expireAccessTokens()
    t.equal((await get(`${profile}?connection=anna`, ofAnna)).status, 200, 'with a rotation')
    const health = async (key: string) => (await get('/health', key)).text
    t.match(await health(plain), /"database":\{"status":"failing"/)
    t.match(await health(ofDefault), /"database":\{"status":"failing"/)
    t.notMatch(await health(ofDefault), 'anna')
    renameSync(`${file}.moved`, file)
  },
)

t.test('with keys, whoever comes back from Spotify is told of no other connection', async (t) => {
  const { spotify, linkFor, log } = await start(t)
  const page = await new Browser().consent(await linkFor('anna'), spotify, { account: 1 })
  const again = await new Browser().consent(await linkFor('bert'), spotify, { account: 1 })
  t.equal(page.status, 200)
  t.match(again, { status: 200, text: /Connection bert is authorised/ })
  t.notMatch(again.text, 'anna')
  t.ok(
    log.some(({ also_as }) => String(also_as) === 'anna'),
    'the log tells',
  )
})

t.test('with an encryption key no token is in the files, and a restart reads on', async (t) => {
  const file = `${t.testdir()}/connector.db`
  const more = {
    DATABASE_URL: `sqlite:${file}`,
    DATABASE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  }
  const { spotify, get, linkFor, close, log } = await start(t, more)
  await new Browser().consent(await linkFor('anna'), spotify, { account: 1 })
  const tokens = new Set<string>()
  spotify.faults.beforeAnswer(
    ({ path }) => path === '/api/token',
    ({ body }) => {
      tokens.add(String(new URLSearchParams(body.toString()).get('refresh_token')))
    },
  )
  const bytes = () =>
    ['', '-journal', '-wal']
      .filter((suffix) => existsSync(file + suffix))
      .map((suffix) => readFileSync(file + suffix, 'latin1'))
      .join('')
  for (let round = 0; round < 3; round++) {
    for (const name of ['anna', 'default']) {
      spotify.expireAccessTokens()
      t.equal((await get(`${profile}?connection=${name}`, plain)).status, 200)
      for (const token of tokens) t.notOk(bytes().includes(token))
    }
  }
  await close()
  t.ok(tokens.size >= 5, `${tokens.size} rotated tokens`)
  t.match(bytes(), /v1\.[\w-]{60}/)
  t.notOk(JSON.stringify(log).includes(more.DATABASE_ENCRYPTION_KEY))

  const again = await build(t, { spotify, env: { ...env, ...more } })
  const headers = { authorization: `Bearer ${plain}` }
  for (const name of ['anna', 'default']) {
    const url = `${profile}?connection=${name}`
    t.equal((await ask(again.app, { url, headers })).status, 200, 'by the rotated token')
  }
  for (const token of tokens) t.notOk(bytes().includes(token))
})
