// Gets a refresh token for an account: `npm run consent -- FOLDER`. It prints the link to Spotify's
// consent page, takes the address that the browser is sent to, and writes the app's secret and the
// refresh token into the folder, readable by this user alone.
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { allScopes } from '../src/spotify/scopes.ts'
import { basic } from '../src/spotify/token-endpoint.ts'

const redirectUri = 'http://127.0.0.1:8888/callback'
const accountsUrl = process.env.SPOTIFY_ACCOUNTS_URL ?? 'https://accounts.spotify.com'

const folder = process.argv[2]
if (!folder)
  fail('usage: npm run consent -- FOLDER (where the secret and the token are written)', 2)

let isSilent = false
const terminal = createInterface({
  input: process.stdin,
  output: new Writable({
    write(chunk, _encoding, done) {
      if (!isSilent) process.stdout.write(chunk)
      done()
    },
  }),
  terminal: process.stdin.isTTY === true,
})
const answers = terminal[Symbol.asyncIterator]()

const clientId = await ask("The app's client id: ")
const clientSecret = await ask("The app's client secret (it is not shown): ", true)
const query = new URLSearchParams({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: redirectUri,
  scope: allScopes.join(' '),
})
process.stdout.write(`
Open this link in a browser that is signed in as the account to be read, and agree:

${accountsUrl}/authorize?${query}

The browser is sent to ${redirectUri}?code=…, where nothing answers.
`)
const pasted = await ask('Paste that whole address, within ten minutes: ', true)
terminal.close()
const token = await exchange(codeOf(pasted))
mkdirSync(folder, { recursive: true, mode: 0o700 })
write('client-secret', clientSecret)
write('refresh-token', token)
process.stdout.write(`
Written to ${folder}: client-secret, refresh-token. Start the service with

SPOTIFY_CLIENT_ID=${clientId} \\
SPOTIFY_CLIENT_SECRET_FILE=${join(folder, 'client-secret')} \\
SPOTIFY_REFRESH_TOKEN_FILE=${join(folder, 'refresh-token')} \\
SPOTIFY_CONSENTED_AT=${new Date().toISOString().slice(0, 10)} npm start
`)

async function ask(question: string, isSecret = false): Promise<string> {
  process.stdout.write(question)
  isSilent = isSecret
  const { value, done } = await answers.next()
  isSilent = false
  if (isSecret) process.stdout.write('\n')
  if (done || value.trim() === '') fail('nothing was given')
  return value.trim()
}

function codeOf(address: string): string {
  if (!URL.canParse(address)) return address
  const { searchParams } = new URL(address)
  return (
    searchParams.get('code') ??
    fail(`no consent was given: ${searchParams.get('error') ?? 'the address has no code'}`)
  )
}

async function exchange(code: string): Promise<string> {
  const answer = await fetch(`${accountsUrl}/api/token`, {
    method: 'POST',
    redirect: 'error',
    headers: { authorization: basic(clientId, clientSecret) },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
    }),
  }).catch((error: Error) =>
    fail(`${accountsUrl} can not be reached: ${error.cause ?? error.message}`),
  )
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  if (typeof body.refresh_token === 'string' && body.refresh_token !== '') return body.refresh_token
  return fail(
    `Spotify gave no refresh token (${answer.status}): ${body.error_description ?? body.error ?? 'no reason'}`,
  )
}

/** In one step, so that a token that is there is never half gone; readable by this user alone. */
function write(name: string, text: string): void {
  const path = join(folder as string, name)
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  chmodSync(`${path}.new`, 0o600)
  renameSync(`${path}.new`, path)
}

function fail(line: string, code = 1): never {
  process.stderr.write(`${line}\n`)
  process.exit(code)
}
