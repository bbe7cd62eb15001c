import t from 'tap'
import { allScopes } from '../../src/simulator/grants.ts'
import { authorizeUrl } from './consent.ts'
import { start } from './start.ts'

t.test('the page says what it is, who asks, and offers scopes and accounts', async (t) => {
  const { simulator } = await start(t, { accounts: [{}, {}] })
  const answer = await fetch(authorizeUrl(simulator))
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/html; charset=utf-8/)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const page = await answer.text()
  t.match(page, /Simulated Spotify/)
  t.match(page, simulator.clientId)
  for (const scope of allScopes) t.ok(page.includes(`name="scope" value="${scope}" checked`), scope)
  t.match(page, /value="0" checked> Simulated Listener \(simulated-listener\)/)
  t.match(page, /value="1"> Simulated Listener 2 \(simulated-listener-2\)/)
  t.match(page, /<button name="decision" value="agree">Agree</)
  t.match(page, /<button name="decision" value="cancel">Cancel</)
})

t.test('it needs neither scripts nor the network, and may lead to the app', async (t) => {
  const { simulator } = await start(t)
  const answer = await fetch(authorizeUrl(simulator))
  const policy = answer.headers.get('content-security-policy') ?? ''
  t.match(policy, /default-src 'none'/)
  t.notMatch(policy, /form-action/)
  t.notMatch(await answer.text(), /<script|<link|<img|https?:|\son\w+=/)
})

t.test('an account’s name is text, whatever is in it, and may be missing', async (t) => {
  const { simulator } = await start(t)
  simulator.library.me.display_name = `<b onload="x">'&`
  simulator.library.me.id = '"><script>'
  const page = async () => (await fetch(authorizeUrl(simulator))).text()
  t.match(await page(), '&lt;b onload=&quot;x&quot;&gt;&#39;&amp; (&quot;&gt;&lt;script&gt;)')
  t.notMatch(await page(), /<script|<b /)
  simulator.library.me.display_name = null
  t.match(await page(), '> &quot;&gt;&lt;script&gt;</label>')
})

t.test('an app that asks for no scope is told to see what everybody sees', async (t) => {
  const { simulator } = await start(t)
  const page = await (await fetch(authorizeUrl(simulator, { scope: undefined }))).text()
  t.match(page, /Only what everybody may see/)
  t.notMatch(page, /type="checkbox"/)
})
