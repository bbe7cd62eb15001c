import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/simulator.ts'
import { tokenError } from '../../src/simulator/spotify-errors.ts'
import { allScopes } from '../../src/spotify/scopes.ts'
import { Browser } from '../helpers/browser.ts'
import { build } from '../helpers/build.ts'
import { noonMs } from '../helpers/fake-clock.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'

const profile = '/tables/user_profile/read'
const minuteMs = 60_000

type Options = { simulator?: SimulatorOptions; env?: NodeJS.ProcessEnv }

/** A simulated Spotify with two accounts, and services on one database that listen. */
async function start(t: Test, { simulator, env }: Options = {}) {
  const clock = new LeapingClock()
  const accounts = [1, 2].map((seed) => ({
    library: makeLibrary({ tracks: 2 + seed, nowMs: noonMs, seed }),
  }))
  const spotify = await startSimulator({ clock, accounts, ...simulator })
  t.teardown(() => spotify.close())
  const file = `${t.testdir()}/connector.db`
  const serve = async (its: NodeJS.ProcessEnv = {}) => {
    const service = await build(t, {
      spotify,
      clock,
      env: { DATABASE_URL: `sqlite:${file}`, ...env, ...its },
    })
    const base = `http://127.0.0.1:${await service.listen()}`
    const status = async (name: string) =>
      (await service.get('/connections')).body.connections.find(
        (one: { name: string }) => one.name === name,
      )
    return {
      ...service,
      base,
      status,
      link: (name: string) => `${base}/connections/${name}/authorize`,
    }
  }
  return { clock, spotify, file, serve }
}

function nameOf({ accounts }: Simulator, number: number): string {
  return accounts[number]?.library.me.display_name as string
}

t.test('a second account is connected in a browser, and is read by its name', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, status, get, base } = await serve()
  const browser = new Browser()
  const door = await browser.open(link('anna'))
  t.match(Object.fromEntries(door.url.searchParams), {
    response_type: 'code',
    client_id: spotify.clientId,
    redirect_uri: `${base}/callback`,
    scope: allScopes.join(' '),
    code_challenge_method: 'S256',
    code_challenge: /^[\w-]{43}$/,
    state: /^[\w-]{43}$/,
    show_dialog: 'true',
  })
  t.match(browser.setCookies, [/^consent=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/])
  const page = await browser.open(await spotify.authorise(door.url, { account: 1 }))
  t.equal(page.status, 200)
  t.match(page.text, `Connection anna is authorised`)
  t.match(page.text, nameOf(spotify, 1))
  t.match(page.text, /Granted<\/dt><dd>.*user-top-read/)
  t.match(page.text, /Missing<\/dt><dd>nothing</)
  t.match(page.text, '2027-05-25')
  t.match(await status('anna'), {
    state: 'ok',
    account: spotify.accounts[1]?.library.me.account_id,
    missing_scopes: [],
    consented_at: '2026-11-25T12:00:00.000Z',
    expires_at: '2027-05-25T12:00:00.000Z',
    days_left: 181,
  })
  const { body } = await get(`${profile}?connection=anna`)
  t.equal(body.records[0].display_name, nameOf(spotify, 1))
  t.equal((await get(profile)).body.records[0].display_name, nameOf(spotify, 0))
  t.equal((await get('/tables/tracks/read?connection=anna')).body.records.length, 4)
})

t.test(
  'every answer to a browser is kept by nobody, framed by nobody, and runs nothing',
  async (t) => {
    const { spotify, serve } = await start(t)
    const { link, base } = await serve()
    const browser = new Browser()
    const good = await browser.consent(link('anna'), spotify, { account: 1 })
    const bad = await browser.open(`${base}/callback?state=x&code=y`)
    for (const { headers, text } of [good, bad]) {
      t.match(Object.fromEntries(headers), {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'content-security-policy':
          /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      })
      t.notMatch(text, /<script|<img|<link|\bon\w+=/i)
      t.match(text, /^<!DOCTYPE html>\n<html lang="en">.*<title>.+<\/title>.*<main>\n<h1>/s)
    }
  },
)

t.test('a consent that came back counts once', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, base, get, status } = await serve()
  const browser = new Browser()
  const door = await browser.open(link('anna'))
  const back = await spotify.authorise(door.url, { account: 1 })
  t.equal((await browser.open(back)).status, 200)
  const before = await status('anna')
  const asked = spotify.stats.requests.length
  const replayed = await browser.open(back)
  t.equal(replayed.status, 400)
  t.match(replayed.text, /came back before, and counts once/)
  t.match(replayed.text, `href="${base}/connections/anna/authorize"`)
  t.equal(spotify.stats.requests.length, asked, 'nobody is asked')
  t.strictSame(await status('anna'), before)
  t.equal((await get(`${profile}?connection=anna`)).status, 200)
})

t.test('what comes back to another browser does not count, and is not used up', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, status } = await serve()
  const browser = new Browser()
  const door = await browser.open(link('anna'))
  const back = await spotify.authorise(door.url, { account: 1 })
  const asked = spotify.stats.requests.length
  const other = new Browser()
  await other.open(link('anna'))
  for (const foreign of [new Browser(), other]) {
    const page = await foreign.open(back)
    t.equal(page.status, 400)
    t.match(page.text, /was begun in another browser/)
  }
  t.equal(spotify.stats.requests.length, asked)
  t.equal(await status('anna'), undefined)
  t.equal((await browser.open(back)).status, 200)
  t.match(await status('anna'), { state: 'ok' })
})

t.test('a consent that takes more than ten minutes does not count', async (t) => {
  const { clock, spotify, serve } = await start(t)
  const { link, status } = await serve()
  const browser = new Browser()
  for (const [lateMs, code] of [
    [10 * minuteMs + 1, 400],
    [10 * minuteMs - 1, 200],
  ] as const) {
    const door = await browser.open(link('anna'))
    clock.nowMs += lateMs
    const page = await browser.open(await spotify.authorise(door.url, { account: 1 }))
    t.equal(page.status, code)
    if (code === 200) continue
    t.match(page.text, /was begun more than 10 minutes ago/)
    t.equal(await status('anna'), undefined)
  }
})

t.test('a consent that is denied changes nothing, and is told', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, get, base, log } = await serve()
  const browser = new Browser()
  const page = await browser.consent(link('anna'), spotify, { deny: true })
  t.equal(page.status, 400)
  t.match(page.text, /The consent for connection anna was denied\. Nothing was changed/)
  t.match(page.text, `href="${base}/connections/anna/authorize"`)
  t.equal((await get('/connections/anna/check')).status, 404)
  t.equal(spotify.stats.token, 0)
  t.match(
    log.find(({ code }) => code === 'consent-failed'),
    { path: '/callback', status: 400, detail: /was denied/ },
  )
})

t.test('programs get a problem document, or the connection as JSON', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, base } = await serve()
  for (const query of ['', '?state=', '?state=x', '?state=x&state=x', '?code=x', '?error=x']) {
    const answer = await fetch(`${base}/callback${query}`)
    t.equal(answer.status, 400)
    t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    t.equal(answer.headers.get('referrer-policy'), 'no-referrer')
    t.match(await answer.json(), { code: 'consent-failed', retryable: false })
  }
  const browser = new Browser()
  const door = await browser.open(link('anna'))
  const { status, text } = await browser.open(await spotify.authorise(door.url), '*/*')
  t.equal(status, 200)
  t.match(JSON.parse(text), { name: 'anna', state: 'ok', also_as: [], days_left: 181 })
})

t.test('scopes that were left out are told, with the tables that need them', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, status, get } = await serve()
  const scopes = allScopes.filter((scope) => !scope.startsWith('playlist'))
  const page = await new Browser().consent(link('anna'), spotify, { account: 1, scopes })
  t.match(page.text, /Missing<\/dt><dd>.*playlist-read-private.*can’t be read: playlists</)
  t.match(await status('anna'), {
    missing_scopes: ['playlist-read-collaborative', 'playlist-read-private'],
  })
  const { body } = await get('/connections/anna/check')
  t.equal(body.ok, false)
  t.strictSame(
    body.tables.filter((table: { ok: boolean }) => !table.ok).map(({ name }: never) => name),
    ['playlists'],
  )
  t.match(body.tables[2].problem, { code: 'insufficient-scope', missing_scopes: Array })
})

t.test('another account under a name is refused, until the connection is deleted', async (t) => {
  const { spotify, serve } = await start(t)
  const { link, status, base, app, get } = await serve()
  const browser = new Browser()
  await browser.consent(link('anna'), spotify, { account: 1 })
  const before = await status('anna')
  const page = await browser.consent(link('anna'), spotify, { account: 0 })
  t.equal(page.status, 400)
  for (const said of [nameOf(spotify, 0), nameOf(spotify, 1), 'DELETE /connections/anna']) {
    t.match(page.text, said)
  }
  t.strictSame(await status('anna'), before)

  const gone = await fetch(`${base}/connections/anna`, { method: 'DELETE' })
  t.equal(gone.status, 204)
  t.equal(await status('anna'), undefined)
  t.match((await get(`${profile}?connection=anna`)).body, { code: 'connection-not-found' })
  const again = await app.inject({ method: 'DELETE', url: '/connections/anna' })
  t.match(again.json(), { status: 404, code: 'connection-not-found' })

  t.equal((await browser.consent(link('anna'), spotify, { account: 0 })).status, 200)
  t.match(await status('anna'), { account: spotify.library.me.account_id })
})

t.test('one account under two names is told', async (t) => {
  const { spotify, serve } = await start(t)
  const { link } = await serve()
  const browser = new Browser()
  await browser.consent(link('anna'), spotify, { account: 1 })
  const page = await browser.consent(link('bea'), spotify, { account: 1 })
  t.equal(page.status, 200)
  t.match(page.text, /also connected as<\/dt><dd><code>anna<\/code>/)
})

t.test('a dead token of the environment gives way to a consent, also after restarts', async (t) => {
  const { spotify, serve } = await start(t, { env: { SPOTIFY_REFRESH_TOKEN: 'dead-token' } })
  const first = await serve()
  const { status, body } = await first.get(profile)
  t.equal(status, 424)
  t.match(body, {
    code: 'reauthorisation-required',
    detail: `${first.base}/connections/default/authorize`,
    authorize_url: `${first.base}/connections/default/authorize`,
  })
  t.match(await first.status('default'), { state: 'needs-consent' })
  const page = await new Browser().consent(body.authorize_url, spotify)
  t.equal(page.status, 200)
  t.equal((await first.get(profile)).status, 200)
  const consented = await first.status('default')
  t.match(consented, { state: 'ok', consented_at: '2026-11-25T12:00:00.000Z' })
  await first.close()

  t.test('with the same token in the environment the consent wins', async (t) => {
    const { get, status, close } = await serve()
    t.strictSame(await status('default'), { ...consented, state: 'unknown' })
    t.equal((await get(profile)).status, 200)
    await close()
  })

  t.test('without one in the environment, too', async (t) => {
    const { get, close } = await serve({ SPOTIFY_REFRESH_TOKEN: undefined })
    t.equal((await get(profile)).status, 200)
    await close()
  })

  t.test('another one in the environment starts afresh and wins', async (t) => {
    const { get, status, close } = await serve({ SPOTIFY_REFRESH_TOKEN: 'another-dead-token' })
    t.match(await status('default'), { state: 'unknown', account: null, consented_at: null })
    t.equal((await get(profile)).status, 424)
    await close()
  })

  t.test('deleted, the environment counts again', async (t) => {
    const { get, base, close } = await serve()
    t.equal((await fetch(`${base}/connections/default`, { method: 'DELETE' })).status, 204)
    t.match((await get(profile)).body, { status: 424, code: 'reauthorisation-required' })
    const again = await fetch(`${base}/connections/default`, { method: 'DELETE' })
    t.equal(again.status, 405)
    t.match(await again.json(), {
      code: 'method-not-allowed',
      detail: /SPOTIFY_REFRESH_TOKEN.*restart/,
    })
    await close()
  })
})

t.test(
  'an app without a token waits for consent, and goes on with it after a restart',
  async (t) => {
    const { spotify, serve } = await start(t, { env: { SPOTIFY_REFRESH_TOKEN: undefined } })
    const first = await serve()
    t.match(await first.status('default'), { state: 'needs-consent', account: null })
    t.match((await first.get(profile)).body.detail, first.link('default'))
    t.equal((await new Browser().consent(first.link('default'), spotify)).status, 200)
    t.equal((await first.get(profile)).status, 200)
    await first.close()
    const second = await serve()
    t.equal((await second.get(profile)).status, 200)
  },
)

t.test('a rotated token of a consent is stored, and used after a restart', async (t) => {
  const { spotify, file, serve } = await start(t, { simulator: { rotate: true } })
  const first = await serve()
  await new Browser().consent(first.link('anna'), spotify, { account: 1 })
  const given = spotify.accounts[1]?.refreshToken
  t.equal((await first.get(`${profile}?connection=anna`)).status, 200)
  spotify.expireAccessTokens()
  t.equal((await first.get(`${profile}?connection=anna`)).status, 200)
  t.not(spotify.accounts[1]?.refreshToken, given)
  await first.close()
  const second = await serve()
  t.equal((await second.get(`${profile}?connection=anna`)).status, 200)
  t.equal((await second.status('anna')).days_left, 181)
  t.equal((await fetch(`${second.base}/connections/anna`, { method: 'DELETE' })).status, 204)
  await second.close()
  for (const token of [given, spotify.accounts[1]?.refreshToken] as string[]) {
    t.notOk(readFileSync(file, 'latin1').includes(token), 'nothing stays of a deleted one')
  }
})

t.test('the account of the environment is known by a check, and kept', async (t) => {
  const { spotify, serve } = await start(t)
  const first = await serve()
  t.match(await first.status('default'), { account: null })
  const { status, body } = await first.get('/connections/default/check')
  t.equal(status, 200)
  t.match(body, {
    ok: true,
    name: 'default',
    state: 'ok',
    account: spotify.library.me.account_id,
    display_name: nameOf(spotify, 0),
    missing_scopes: [],
    authorize_url: first.link('default'),
    token: { ok: true },
    first_seen_at: '2026-11-25T12:00:00.000Z',
  })
  t.equal(body.tables.length, 8)
  t.ok(body.tables.every(({ ok }: { ok: boolean }) => ok))
  await first.close()
  spotify.revokeRefreshToken()
  const second = await serve()
  t.equal((await second.get(profile)).status, 424)
  const page = await new Browser().consent(second.link('default'), spotify, { account: 1 })
  t.equal(page.status, 400, 'so that another one can not take its place')
  t.match(page.text, /take SPOTIFY_REFRESH_TOKEN out of the environment/)
})

t.test('a check tells what is wrong and what to do', async (t) => {
  const { spotify, serve } = await start(t)
  const { get, link } = await serve()
  spotify.revokeRefreshToken()
  const { status, body } = await get('/connections/default/check')
  t.equal(status, 200)
  t.match(body, { ok: false, state: 'needs-consent', token: { ok: false } })
  t.match(body.token.problem, { code: 'reauthorisation-required', detail: link('default') })
  t.match(body.tables[7], { ok: false, problem: { code: 'reauthorisation-required' } })
  t.equal(spotify.stats.requests.length, 1)

  const unknown = await get('/connections/nobody/check')
  t.match(unknown.body, {
    status: 404,
    code: 'connection-not-found',
    authorize_url: link('nobody'),
  })
})

t.test('a name that can be no connection is refused, and told back as text', async (t) => {
  const { serve } = await start(t)
  const { base, get } = await serve()
  for (const name of ['Anna', '-a', 'a b', '%3Cscript%3E', 'a'.repeat(65), '__proto__', 'é']) {
    const answer = await new Browser().open(`${base}/connections/${name}/authorize`)
    t.equal(answer.status, 400, name)
    t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    t.match(JSON.parse(answer.text), { code: 'invalid-option', parameter: 'name' })
    t.notHas((await get(`/connections/${encodeURI(name)}/check`)).body, { authorize_url: String })
  }
})

t.test('what others write into an address is shown as text, never as HTML', async (t) => {
  const { spotify, serve } = await start(t)
  const me = spotify.accounts[1]?.library.me as { display_name: string | null }
  me.display_name = `<script>alert("1")</script>`
  const { link, base } = await serve()
  const browser = new Browser()
  const door = await browser.open(link('anna'))
  const state = door.url.searchParams.get('state')
  const bad = `"><img src=x onerror=alert(1)>'</p>`
  const page = await browser.open(
    `${base}/callback?${new URLSearchParams({ state: state as string, error: bad })}`,
  )
  t.equal(page.status, 400)
  t.notMatch(page.text, '<img')
  t.match(page.text, '&#60;img src=x onerror=alert(1)&#62;')
  const good = await browser.consent(link('anna'), spotify, { account: 1 })
  t.equal(good.status, 200)
  t.notMatch(good.text, '<script')
  t.match(good.text, '&#60;script&#62;')
})

t.test('the browser is led to the public address first, and only once', async (t) => {
  const { spotify, serve } = await start(t)
  const { base } = await serve()
  const browser = new Browser()
  const { port } = new URL(base)
  await browser.consent(`http://localhost:${port}/connections/anna/authorize`, spotify, {
    account: 1,
  })
  t.strictSame(
    browser.visited.slice(0, 2).map(({ href }) => href),
    [
      `http://localhost:${port}/connections/anna/authorize`,
      `${base}/connections/anna/authorize?moved=true`,
    ],
  )
  t.match(browser.visited.at(-1)?.href, `${base}/callback?`)
})

t.test('behind a proxy the public address is what counts', async (t) => {
  const { serve } = await start(t, { env: { PUBLIC_URL: 'https://connector.example/spotify' } })
  const { base, get } = await serve()
  const browser = new Browser()
  const first = await browser.ask(`${base}/connections/anna/authorize`)
  t.equal(
    first.headers.get('location'),
    'https://connector.example/spotify/connections/anna/authorize?moved=true',
  )
  t.strictSame(browser.setCookies, [])
  const door = await browser.open(`${base}/connections/anna/authorize?moved=true`)
  t.equal(door.url.searchParams.get('redirect_uri'), 'https://connector.example/spotify/callback')
  t.match(browser.setCookies, [/^__Host-consent=.*; Secure; SameSite=Lax$/])
  const { body } = await get('/connections/default/check')
  t.equal(body.authorize_url, 'https://connector.example/spotify/connections/default/authorize')
})

t.test('neither codes nor states nor tokens get into the log', async (t) => {
  const { spotify, serve } = await start(t, { simulator: { rotate: true } })
  const { link, log, get } = await serve()
  const browser = new Browser()
  await browser.consent(link('anna'), spotify, { account: 1 })
  const last = browser.visited.at(-1) as URL
  await browser.open(last)
  await new Browser().open(last)
  await browser.consent(link('anna'), spotify, { account: 0 })
  spotify.faults.add({
    on: '/api/token',
    fault: tokenError('invalid_grant', last.href),
  })
  await get('/connections/anna/check')
  const text = JSON.stringify(log)
  const secrets = browser.visited.flatMap((url) =>
    ['code', 'state', 'code_challenge'].map((name) => url.searchParams.get(name) ?? ''),
  )
  const held = [...secrets, ...browser.cookies.values(), spotify.accounts[1]?.refreshToken ?? '']
  t.ok(held.filter(Boolean).length > 6)
  for (const secret of held.filter(Boolean)) t.notOk(text.includes(secret))
})
