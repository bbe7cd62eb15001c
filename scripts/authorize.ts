// Connects an account from a terminal, without the service: `npm run authorize -- NAME`. Exit code
// 0: connected, or the link of the running service was printed; 1: it was not, and a line says why;
// 2: wrong arguments; 130: it was interrupted.
import { systemClock } from '../src/clock.ts'
import { type Config, isLoopbackHost, readConfig } from '../src/config.ts'
import { openStore } from '../src/database/open.ts'
import { isInUse } from '../src/database/sqlite-open.ts'
import type { Store } from '../src/database/store.ts'
import { ConfigError, ConnectorError, quote } from '../src/errors.ts'
import { createLinks } from '../src/links.ts'
import { secretsOf } from '../src/proxies.ts'
import { Secrets } from '../src/secrets.ts'
import { unguessable } from '../src/short-lived.ts'
import { describeAccount } from '../src/spotify/account.ts'
import { connectionNames, isConnectionName } from '../src/spotify/authorisation.ts'
import { type Connected, createConnections } from '../src/spotify/connections.ts'
import { createTransport, defaultTimeouts } from '../src/spotify/transport.ts'
import { type Listener, listenForCallback } from './authorize-listener.ts'
import { linkOfRunning } from './authorize-running.ts'
import { Interrupted, readPasted } from './authorize-terminal.ts'

const [name, ...others] = process.argv.slice(2)
const secrets = new Secrets()

if (name === undefined || others.length > 0 || name.startsWith('-')) {
  say('Usage: npm run authorize -- NAME (of the connection, such as default)')
  process.exit(2)
}
try {
  process.exitCode = await main(name)
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof ConnectorError)) throw error
  say(error.message)
  process.exitCode = 1
}

async function main(connection: string): Promise<number> {
  const config = readConfig(process.env)
  const { credentials, proxies } = config
  for (const proxy of [proxies.http, proxies.https]) {
    for (const secret of proxy ? secretsOf(proxy) : []) secrets.addPermanent(secret)
  }
  if (!isConnectionName(connection)) {
    throw new ConfigError(`NAME is ${quote(connection)}; allowed: ${connectionNames}`)
  }
  if (!credentials) {
    throw new ConfigError(
      'SPOTIFY_CLIENT_ID is not set; needed: SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET (or SPOTIFY_CLIENT_SECRET_FILE) of the app. A demo is tried in the browser: open /connections/NAME/authorize of the running service',
    )
  }
  let store: Store
  try {
    const log = { warn: (_details: object, message: string) => say(message) }
    store = openStore(config.databaseUrl, log, { keys: config.encryptionKeys })
  } catch (error) {
    if (!isInUse(error)) throw error
    say(await linkOfRunning(config, connection))
    return 0
  }
  const transport = createTransport(defaultTimeouts, { proxies, isDirect: isLoopbackHost })
  try {
    return await authorize(connection, { ...config, credentials, store, transport })
  } finally {
    await transport.close()
    store.close()
  }
}

type Parts = Config & {
  credentials: NonNullable<Config['credentials']>
  store: Store
  transport: ReturnType<typeof createTransport>
}

async function authorize(connection: string, parts: Parts): Promise<number> {
  const { spotifyAccountsUrl, spotifyApiUrl } = parts
  const listener = await listenForCallback(parts, secrets)
  const connections = createConnections({
    ...parts,
    links: createLinks(() => listener.base, null),
    accountsUrl: spotifyAccountsUrl,
    apiUrl: spotifyApiUrl,
    secrets,
    clock: systemClock,
    log: { debug() {}, info() {}, warn() {}, error: tellError },
  })
  const terminal = new AbortController()
  try {
    const browser = unguessable()
    const url = connections.consents.begin(connection, browser)
    const state = new URL(url).searchParams.get('state') as string
    // As it is: to strike out what looks like a secret would spoil the link.
    process.stderr.write(`${invitation(url, listener)}\n`)
    const callback = await Promise.race([
      listener.next(state),
      readPasted(state, say, listener.silent === null, terminal.signal),
    ])
    // From here on it is not let go of any more: the code is good once.
    const connected = await connections.consents.finish(callback, browser)
    listener.answer(connected)
    say(summary(connected))
    return 0
  } catch (error) {
    if (error instanceof ConnectorError) listener.answer(error)
    if (!(error instanceof Interrupted)) throw error
    say(`${error.message} Nothing was changed.`)
    return 130
  } finally {
    terminal.abort()
    await connections.close()
    await listener.close()
  }
}

function invitation(url: string, { base, silent }: Listener): string {
  const end =
    silent === null
      ? `Where the browser is on another machine, it ends at ${base}/callback?…, which does not load there:`
      : `The browser is sent to ${base}/callback?…, where nothing answers (${silent}):`
  return `Open this link in a browser that is signed in to Spotify as the account to be read, and agree:

${url}

${end} then paste the whole address here, within 10 minutes. It is not shown.`
}

function summary({ connection, account, alsoAs }: Connected): string {
  const { name, scopes, missingScopes, expiresAtMs } = connection.status()
  const list = (some: readonly string[] | null) =>
    some === null ? 'not known' : some.join(', ') || 'nothing'
  const end = expiresAtMs === null ? 'not known' : new Date(expiresAtMs).toISOString().slice(0, 10)
  return [
    `Connection ${name} is authorised.`,
    `Account: ${describeAccount(account)}`,
    ...(alsoAs.length > 0 ? [`The same account is also connected as: ${alsoAs.join(', ')}`] : []),
    `Granted: ${list(scopes)}`,
    `Missing: ${list(missingScopes)}`,
    `The consent ends on ${end}. Now start the service.`,
  ].join('\n')
}

function tellError(facts: unknown, message?: string): void {
  const { err } = Object(facts) as { err?: unknown }
  say(`${message ?? ''}${err instanceof Error ? `: ${err.message}` : ''}`)
}

function say(text: string): void {
  process.stderr.write(`${secrets.scrub(text)}\n`)
}
