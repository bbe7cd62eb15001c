import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const script = new URL('../../scripts/consent.ts', import.meta.url).pathname

/** Runs the script against an accounts service that answers so, with these lines typed. */
async function run(t: Test, status: number, answer: object, lines: string[]) {
  const seen: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push(`${request.headers.authorization} ${body}`)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const folder = join(t.testdir(), 'kept')
  const child = spawn(process.execPath, [script, folder], {
    env: { ...process.env, SPOTIFY_ACCOUNTS_URL: `http://127.0.0.1:${port}` },
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  const [code] = await once(child, 'close')
  return { code, output, seen, folder }
}

const typed = ['the-id', 'the-secret', 'http://127.0.0.1:8888/callback?code=the-code&state=x']

t.test('a consent is exchanged, and kept where only this user reads it', async (t) => {
  const { code, output, seen, folder } = await run(t, 200, { refresh_token: 'the-token' }, typed)
  t.equal(code, 0)
  t.equal(readFileSync(join(folder, 'refresh-token'), 'utf8'), 'the-token')
  t.equal(readFileSync(join(folder, 'client-secret'), 'utf8'), 'the-secret')
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(statSync(join(folder, 'refresh-token')).mode & 0o777, 0o600)
  t.match(seen, [/^Basic \S+ .*code=the-code/])
  t.match(output, /client_id=the-id/)
  t.notMatch(output, /the-secret|the-token/)
})

t.test("a refusal is told in Spotify's words, and nothing is written", async (t) => {
  const refusal = { error: 'invalid_grant', error_description: 'Invalid authorization code' }
  const { code, output, folder } = await run(t, 400, refusal, typed)
  t.equal(code, 1)
  t.match(output, /Invalid authorization code/)
  t.throws(() => statSync(folder), { code: 'ENOENT' })
})

t.test('a consent that was denied is told', async (t) => {
  const lines = [...typed.slice(0, 2), 'http://127.0.0.1:8888/callback?error=access_denied']
  const { code, output, seen } = await run(t, 200, {}, lines)
  t.equal(code, 1)
  t.match(output, /access_denied/)
  t.same(seen, [])
})
