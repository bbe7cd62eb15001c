import t from 'tap'
import { agree, authorizeUrl, exchange, redirectUri } from './consent.ts'
import { bodyOf, start } from './start.ts'

const manual = { redirect: 'manual' } as const

t.test('agreeing leads to the redirect URI with a code and the state', async (t) => {
  const { simulator } = await start(t)
  const query = { redirect_uri: `${redirectUri}?kept=1` }
  const { href, searchParams } = new URL(await simulator.authorise(authorizeUrl(simulator, query)))
  t.ok(href.startsWith(`${redirectUri}?kept=1&`), href)
  t.match(searchParams.get('code'), /^AQ[\w-]{80}$/)
  t.equal(searchParams.get('state'), 'state+ &=')
  t.same([...searchParams.keys()].sort(), ['code', 'kept', 'state'])
})

t.test('cancelling leads there with access_denied and the state', async (t) => {
  const { simulator } = await start(t)
  const location = await simulator.authorise(authorizeUrl(simulator), { deny: true })
  t.same(Object.fromEntries(new URL(location).searchParams), {
    error: 'access_denied',
    state: 'state+ &=',
  })
})

t.test('without a state none comes back', async (t) => {
  const { simulator } = await start(t)
  const location = await simulator.authorise(authorizeUrl(simulator, { state: undefined }))
  t.same([...new URL(location).searchParams.keys()], ['code'])
})

t.test('what the app must not be told is told to the person, in plain text', async (t) => {
  const { simulator } = await start(t)
  const invalid = 'INVALID_CLIENT: Invalid redirect URI'
  const insecure = 'INVALID_CLIENT: Insecure redirect URI'
  const cases: [Record<string, string | undefined>, string][] = [
    [{ client_id: undefined }, 'Missing required parameter: client_id'],
    [{ client_id: 'other' }, 'INVALID_CLIENT: Invalid client'],
    [{ redirect_uri: undefined }, 'Missing required parameter: redirect_uri'],
    [{ redirect_uri: '/callback' }, invalid],
    [{ redirect_uri: 'javascript:alert(1)' }, invalid],
    [{ redirect_uri: `${redirectUri}#fragment` }, invalid],
    [{ redirect_uri: 'http://localhost:8888/callback' }, insecure],
    [{ redirect_uri: 'https://localhost/callback' }, insecure],
    [{ redirect_uri: 'http://example.com/callback' }, insecure],
    [{ redirect_uri: 'http://127.0.0.1.example.com/callback' }, insecure],
    [{ redirect_uri: 'http://[::2]/callback' }, insecure],
  ]
  for (const [query, expected] of cases) {
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(authorizeUrl(simulator, query), { ...manual, method })
      t.equal(answer.status, 400, expected)
      t.match(answer.headers.get('content-type'), /^text\/plain/)
      t.equal(await answer.text(), expected, JSON.stringify(query))
    }
  }
})

t.test('https and both loopback addresses are good redirect URIs', async (t) => {
  const { simulator } = await start(t)
  for (const redirect_uri of [
    'https://example.com/callback',
    'http://127.0.0.1/callback',
    'http://[::1]:8080/callback',
  ]) {
    t.equal((await fetch(authorizeUrl(simulator, { redirect_uri }))).status, 200, redirect_uri)
  }
})

t.test('what else is wrong goes back to the app, with the state', async (t) => {
  const { simulator } = await start(t)
  const cases: [Record<string, string | undefined>, string][] = [
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ scope: 'user-top-read user-read-everything' }, 'invalid_scope'],
    [{ code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge: undefined }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
  ]
  for (const [query, error] of cases) {
    const answer = await fetch(authorizeUrl(simulator, query), manual)
    t.equal(answer.status, 302)
    const location = new URL(answer.headers.get('location') ?? '')
    t.equal(`${location.origin}${location.pathname}`, redirectUri)
    t.match(Object.fromEntries(location.searchParams), { error, state: 'state+ &=' })
    t.notOk(location.searchParams.has('code'))
  }
})

t.test('an owner grants no scope that was not asked for, and may grant none', async (t) => {
  const { simulator } = await start(t)
  const query = { scope: 'user-top-read  user-top-read user-library-read' }
  const page = await (await fetch(authorizeUrl(simulator, query))).text()
  t.equal(page.match(/name="scope"/g)?.length, 2)
  const granted = async (scopes?: string[]) => {
    const { code, verifier } = await agree(simulator, { query, ...(scopes ? { scopes } : {}) })
    return (await bodyOf(exchange(simulator, { code, code_verifier: verifier }))).scope
  }
  t.equal(await granted(), 'user-top-read user-library-read')
  t.equal(await granted(['user-read-email', 'user-library-read']), 'user-library-read')
  t.equal(await granted([]), '')
})

t.test('a form without a decision or a known account is refused', async (t) => {
  const { simulator } = await start(t)
  const url = authorizeUrl(simulator)
  for (const fields of [{}, { decision: 'maybe', account: '0' }, { decision: 'agree' }]) {
    const body = new URLSearchParams(fields)
    t.equal((await fetch(url, { ...manual, method: 'POST', body })).status, 400)
  }
  await t.rejects(simulator.authorise(url, { account: 7 }), { message: /400: The form needs/ })
})

t.test('other methods are refused', async (t) => {
  const { simulator } = await start(t)
  const answer = await fetch(authorizeUrl(simulator), { method: 'PUT' })
  t.equal(answer.status, 405)
  t.equal(answer.headers.get('allow'), 'GET, HEAD, POST')
  t.equal((await fetch(authorizeUrl(simulator), { method: 'HEAD' })).status, 200)
})

t.test('neither the page nor a consent counts as a request for a token', async (t) => {
  const { simulator } = await start(t)
  await fetch(authorizeUrl(simulator))
  await simulator.authorise(authorizeUrl(simulator))
  t.match(simulator.stats, { api: 0, token: 0 })
  t.same(
    simulator.stats.requests.map(({ method, path, status }) => [method, path, status]),
    [
      ['GET', '/authorize', 200],
      ['POST', '/authorize', 302],
    ],
  )
})
