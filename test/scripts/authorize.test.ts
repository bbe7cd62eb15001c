import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { Browser } from '../helpers/browser.ts'
import { build } from '../helpers/build.ts'

const script = new URL('../../scripts/authorize.ts', import.meta.url).pathname

/** A simulated Spotify with two accounts, a database, and the script over both. */
async function start(t: Test) {
  const accounts = [1, 2].map((seed) => ({ library: makeLibrary({ tracks: 1, seed }) }))
  const spotify = await startSimulator({ accounts })
  t.teardown(() => spotify.close())
  const env = {
    DATABASE_URL: `sqlite:${t.testdir()}/connector.db`,
    SPOTIFY_CLIENT_ID: spotify.clientId,
    SPOTIFY_CLIENT_SECRET: spotify.clientSecret,
    SPOTIFY_API_URL: spotify.apiUrl,
    SPOTIFY_ACCOUNTS_URL: spotify.accountsUrl,
    SPOTIFY_REFRESH_TOKEN: undefined,
    PORT: '0',
  }
  const run = (args: string[], its: NodeJS.ProcessEnv = {}) => {
    const child = spawn(process.execPath, [script, ...args], { env: { ...env, ...its } })
    t.teardown(() => child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk
        child.emit('said')
      })
    }
    const ended = once(child, 'close').then(([code]) => {
      child.emit('said')
      return { code, output }
    })
    /** What it has said, once that holds this. */
    const said = async (what: RegExp): Promise<string> => {
      for (;;) {
        const found = what.exec(output)
        if (found) return found[0]
        if (child.exitCode !== null) throw new Error(`it ended without ${what}: ${output}`)
        await once(child, 'said')
      }
    }
    const link = () => said(/^http:\S+\/accounts\/authorize\?\S+$/m)
    return { child, ended, said, link, type: (line: string) => child.stdin.write(`${line}\n`) }
  }
  const rows = async (connection: string) => {
    const { get, close } = await build(t, { spotify, env })
    const { body } = await get(`/tables/user_profile/read?connection=${connection}`)
    await close()
    return body
  }
  return { spotify, env, run, rows }
}

t.test('a browser on this machine ends it, and the service reads the account', async (t) => {
  const { spotify, run, rows } = await start(t)
  const { link, ended } = run(['anna'])
  const back = await spotify.authorise(await link(), { account: 1 })
  t.match(back, /^http:\/\/127\.0\.0\.1:\d+\/callback\?/)
  const browser = new Browser()
  const foreign = await browser.open(back.replace(/state=[^&]+/, 'state=x'))
  t.equal(foreign.status, 400)
  t.match(foreign.text, /not of the consent that the terminal waits for/)
  const page = await browser.open(back)
  t.equal(page.status, 200)
  t.match(page.text, 'Connection anna is authorised')
  t.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  const { code, output } = await ended
  t.equal(code, 0)
  const { display_name: name } = spotify.accounts[1]?.library.me ?? {}
  t.match(output, new RegExp(`anna is authorised.\nAccount: ${name} .*\nGranted: .*user-top-read`))
  const body = await rows('anna')
  t.equal(body.records[0].display_name, name)
})

t.test('the address is pasted where the browser is elsewhere, and is not shown', async (t) => {
  const { spotify, run, rows } = await start(t)
  const { link, ended, type, said } = run(['default'], { PUBLIC_URL: 'https://connector.example' })
  const back = await spotify.authorise(await link())
  t.match(back, /^https:\/\/connector\.example\/callback\?/)
  type('oops')
  await said(/not the address that the browser was sent to/)
  type('https://connector.example/callback?code=stolen&state=other')
  await said(/of another consent/)
  type(back)
  const { code, output } = await ended
  t.equal(code, 0)
  const { searchParams } = new URL(back)
  for (const shown of ['oops', 'stolen', searchParams.get('code') as string]) {
    t.notOk(output.includes(shown))
  }
  for (const secret of [spotify.clientSecret, spotify.refreshToken]) {
    t.notOk(output.includes(secret))
  }
  t.equal((await rows('default')).records.length, 1)
})

t.test('a consent that is denied changes nothing', async (t) => {
  const { spotify, run, rows } = await start(t)
  const { link, ended, type } = run(['default'])
  type(await spotify.authorise(await link(), { deny: true }))
  const { code, output } = await ended
  t.equal(code, 1)
  t.match(output, /connection default was denied/)
  t.equal((await rows('default')).code, 'reauthorisation-required')
})

for (const [what, end] of [
  ['an interrupt', (child: ReturnType<typeof spawn>) => child.kill('SIGINT')],
  ['the end of the input, where nobody listens', (child) => child.stdin?.end()],
] as [string, (child: ReturnType<typeof spawn>) => unknown][]) {
  t.test(`${what} ends it, and nothing is changed`, async (t) => {
    const { run } = await start(t)
    const { child, link, ended } = run(['default'], { PUBLIC_URL: 'https://connector.example' })
    await link()
    end(child)
    const { code, output } = await ended
    t.equal(code, 130)
    t.match(output, /Nothing was changed\.\n$/)
  })
}

t.test('while the service has the database, its own link is told', async (t) => {
  const { spotify, env, run } = await start(t)
  const service = await build(t, { spotify, env })
  const port = String(await service.listen())
  const { code, output } = await run(['anna'], { PORT: port }).ended
  t.equal(code, 0)
  t.match(output, /^The database is in use by the running service/)
  const [link] = /http:\S+$/m.exec(output) ?? []
  t.equal(link, `http://127.0.0.1:${port}/connections/anna/authorize`)
})

t.test('with access keys the running service is asked for a ticket', async (t) => {
  const { spotify, env, run } = await start(t)
  const keys = { API_KEYS: 'first-key-0123456789abcdef@bea,second-key-0123456789abcdef@anna' }
  const service = await build(t, { spotify, env: { ...env, ...keys } })
  const port = String(await service.listen())
  const { code, output } = await run(['anna'], { ...keys, PORT: port }).ended
  t.equal(code, 0)
  const [link = ''] = /http:\S+$/m.exec(output) ?? []
  t.match(link, /\/connections\/anna\/authorize\?ticket=[\w-]{43}$/)
  t.notMatch(output, /-key-/)
  const page = await new Browser().consent(link, spotify, { account: 1 })
  t.equal(page.status, 200)
  const again = await new Browser().open(link)
  t.equal(again.status, 401, 'it is good once')
  t.notOk(JSON.stringify(service.log).includes(new URL(link).searchParams.get('ticket') as string))

  const unasked = run(['carl'], { ...keys, PORT: port })
  t.match((await unasked.ended).output, /wants an access key and could not be asked/)
})

t.test('what can not be is said in one line', async (t) => {
  const { run } = await start(t)
  for (const [args, env, code, said] of [
    [[], {}, 2, /^Usage: npm run authorize -- NAME/],
    [['a', 'b'], {}, 2, /^Usage/],
    [['Anna'], {}, 1, /^NAME is "Anna"; allowed: 1 to 64/],
    [
      ['anna'],
      { SPOTIFY_CLIENT_ID: undefined, SPOTIFY_CLIENT_SECRET: undefined },
      1,
      /^SPOTIFY_CLIENT_ID is not set.* A demo is tried in the browser: .*authorize/,
    ],
    [['anna'], { PUBLIC_URL: 'http://localhost:8080' }, 1, /^PUBLIC_URL is .*localhost/],
  ] as [string[], NodeJS.ProcessEnv, number, RegExp][]) {
    const ended = await run(args, env).ended
    t.equal(ended.code, code)
    t.match(ended.output, said)
    t.equal(ended.output.split('\n').length, 2)
  }
})
