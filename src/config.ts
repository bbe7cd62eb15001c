import { readFileSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { type Clock, systemClock } from './clock.ts'
import { ConfigError, quote } from './errors.ts'
import { readProxies } from './proxies.ts'
import type { Proxies } from './spotify/dispatchers.ts'
import type { OptionName } from './tables/table.ts'

const dayMs = 24 * 60 * 60 * 1000
const isoInstant = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** The options of tables that callers may pass where the operator does not say otherwise. */
const externalOptions: readonly OptionName[] = ['time_range', 'limit', 'max_pages']

type Variable<Value> = {
  /** What may be given: the end of the line that refuses something else. */
  allowed: string
  /** The value that a text stands for, or undefined where the text is not allowed. */
  parse(text: string, nowMs: number): Value | undefined
  /** What holds while the variable is not set. */
  default: Value
  /** Its value is never told, and it may also come from the file that `NAME_FILE` names. */
  secret?: true
  /** The variable without which this one means nothing. */
  needs?: string
  /** Known, but without effect in this version. */
  notYet?: true
}

/** Every variable of the service's own, in the order in which they are checked. */
const variables = {
  HOST: {
    allowed: 'a host name or an IP address, without a port',
    parse: toHost,
    default: '127.0.0.1',
  },
  PORT: wholeNumber(8080, 0, 65_535),
  ALLOW_ANONYMOUS: trueOrFalse(false),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
  DEMO: trueOrFalse(null),
  SPOTIFY_CLIENT_ID: secret('SPOTIFY_CLIENT_SECRET'),
  SPOTIFY_CLIENT_SECRET: secret('SPOTIFY_CLIENT_ID'),
  SPOTIFY_REFRESH_TOKEN: secret('SPOTIFY_CLIENT_ID'),
  SPOTIFY_CONSENTED_AT: {
    allowed:
      'the past day of the consent, such as 2026-11-25 or, with a time zone, 2026-11-25T18:30:00Z',
    parse: toPastMs,
    default: null,
    needs: 'SPOTIFY_REFRESH_TOKEN',
  },
  SPOTIFY_API_URL: url('https://api.spotify.com/v1'),
  SPOTIFY_ACCOUNTS_URL: url('https://accounts.spotify.com'),
  SPOTIFY_REQUESTS_PER_MINUTE: wholeNumber(100, 0, 1_000_000),
  SPOTIFY_BURST: wholeNumber(250, 1, 1_000_000),
  SPOTIFY_CONCURRENCY: wholeNumber(8, 1, 256),
  READ_WAIT_BUDGET_MS: wholeNumber(20_000, 0, dayMs),
  STREAM_WAIT_BUDGET_MS: wholeNumber(600_000, 0, dayMs),
  DATABASE_URL: {
    allowed: 'sqlite: and the path of a file, such as sqlite:.data/connector.db',
    // What is behind the scheme is for the database to judge.
    parse: (text: string) => (/^sqlite:./i.test(text) ? text : undefined),
    default: 'sqlite:.data/connector.db',
  },
  // To pass over these two would leave the operator less protected than they believe.
  API_KEYS: refused('this version checks no access keys and would serve everybody'),
  DATABASE_ENCRYPTION_KEY: refused('this version would store refresh tokens unencrypted'),
  PUBLIC_URL: notYet(),
  EXTERNAL_OPTIONS_ALLOW_LIST: {
    allowed: `some of ${externalOptions.join(', ')}, separated by commas, or none`,
    parse: toExternalOptions,
    default: externalOptions,
  },
  MAX_CONCURRENT_READS: wholeNumber(256, 1, 1_000_000),
  SHUTDOWN_GRACE_MS: wholeNumber(25_000, 0, dayMs),
} satisfies Record<string, Variable<unknown>>

type Values = { [Name in keyof typeof variables]: (typeof variables)[Name]['default'] }

/** What the operator has decided, checked. */
export type Config = {
  /** What to listen on, an IPv6 address without brackets. A loopback one unless `allowAnonymous`. */
  host: string
  /** 0: any free one. */
  port: number
  allowAnonymous: boolean
  /** One of pino's levels, `silent` among them. */
  logLevel: string
  /** null: not said; see `resolveMode`. */
  demo: boolean | null
  /** The app and, where there is one, the account of the connection `default`. */
  credentials: {
    clientId: string
    clientSecret: string
    /** null: waits for consent. */
    refreshToken: string | null
    /** Unix ms of the consent behind the refresh token; null: not known. */
    consentedAtMs: number | null
  } | null
  /** Without a trailing slash. */
  spotifyApiUrl: string
  /** Without a trailing slash. */
  spotifyAccountsUrl: string
  /** How fast the token bucket refills; 0: no bucket. */
  requestsPerMinute: number
  /** How many requests the token bucket holds. */
  burst: number
  /** Pages of one read in flight at once. */
  concurrency: number
  readWaitBudgetMs: number
  streamWaitBudgetMs: number
  /** The options of tables that callers may pass. */
  externalOptions: readonly OptionName[]
  /** Reads that run at the same time; another one is `overloaded`. */
  maxConcurrentReads: number
  /** How long running reads may go on when the service is told to stop. */
  shutdownGraceMs: number
  /** How Spotify is reached. */
  proxies: Proxies
  /** `sqlite:` and a path. */
  databaseUrl: string
  /** Whether the operator chose it: a demo keeps its database in memory otherwise. */
  databaseUrlGiven: boolean
  /** The variables that are set and have no effect in this version. */
  notYetUsed: string[]
  /** What is allowed but dangerous: a line each, without secrets. */
  warnings: string[]
}

/**
 * Reads the environment, and the files that its `NAME_FILE` variables name.
 * Throws `ConfigError`: one line that names the variable, what was given (never of a secret) and
 * what is allowed.
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
  clock: Pick<Clock, 'now'> = systemClock,
): Config {
  const values = readAll(env, readFile, clock.now())
  const { HOST, SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET } = values
  if (!isLoopbackHost(HOST) && !values.ALLOW_ANONYMOUS) {
    throw new ConfigError(
      `HOST is ${quote(HOST)}, which others may reach, and nobody has to show an access key; ` +
        'allowed: localhost, 127.0.0.0/8 or ::1, and any other host only with ' +
        'ALLOW_ANONYMOUS=true, if everybody who reaches it may read the Spotify account',
    )
  }
  return {
    host: HOST,
    port: values.PORT,
    allowAnonymous: values.ALLOW_ANONYMOUS,
    logLevel: values.LOG_LEVEL,
    demo: values.DEMO,
    credentials:
      SPOTIFY_CLIENT_ID === null || SPOTIFY_CLIENT_SECRET === null
        ? null
        : {
            clientId: SPOTIFY_CLIENT_ID,
            clientSecret: SPOTIFY_CLIENT_SECRET,
            refreshToken: values.SPOTIFY_REFRESH_TOKEN,
            consentedAtMs: values.SPOTIFY_CONSENTED_AT,
          },
    spotifyApiUrl: values.SPOTIFY_API_URL,
    spotifyAccountsUrl: values.SPOTIFY_ACCOUNTS_URL,
    requestsPerMinute: values.SPOTIFY_REQUESTS_PER_MINUTE,
    burst: values.SPOTIFY_BURST,
    concurrency: values.SPOTIFY_CONCURRENCY,
    readWaitBudgetMs: values.READ_WAIT_BUDGET_MS,
    streamWaitBudgetMs: values.STREAM_WAIT_BUDGET_MS,
    externalOptions: values.EXTERNAL_OPTIONS_ALLOW_LIST,
    maxConcurrentReads: values.MAX_CONCURRENT_READS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    proxies: readProxies(env),
    databaseUrl: values.DATABASE_URL,
    databaseUrlGiven: env.DATABASE_URL !== undefined,
    notYetUsed: entries()
      .filter(([name, variable]) => variable.notYet && env[name] !== undefined)
      .map(([name]) => name),
    warnings: warningsOf(values),
  }
}

/**
 * Whether the rows are made up or Spotify's. A demo that nobody asked for needs a loopback host and
 * a database without connections: a lost secret must never serve made-up rows. `holdsConnections`
 * is asked only when all else speaks for a demo.
 * Throws `ConfigError` when there is neither a demo nor an app to ask Spotify with.
 */
export function resolveMode(config: Config, holdsConnections: () => boolean): 'demo' | 'spotify' {
  if (config.demo) return 'demo'
  if (config.credentials) return 'spotify'
  const objection = objectionToDemo(config, holdsConnections)
  if (objection === null) return 'demo'
  throw new ConfigError(
    `SPOTIFY_CLIENT_ID is not set, and ${objection}; allowed: SPOTIFY_CLIENT_ID and ` +
      'SPOTIFY_CLIENT_SECRET, or DEMO=true for a demo with made-up rows',
  )
}

/**
 * Whether a name, as in `HOST` or in a Host header without its port, can only mean this machine.
 * Other spellings that some resolvers take (`127.1`, `2130706433`, `localhost.`) are none: only the
 * resolver knows where they lead.
 */
export function isLoopbackHost(name: string): boolean {
  const host = name.toLowerCase()
  return ['localhost', '::1', '[::1]'].includes(host) || (isIPv4(host) && host.startsWith('127.'))
}

/**
 * The names of all variables of the service's own, and for each whether `NAME_FILE` may give it, and
 * whether it has an effect in this version.
 */
export const knownVariables: ReadonlyMap<string, { isSecret: boolean; isUsed: boolean }> = new Map(
  entries().map(([name, { secret, notYet }]) => [name, { isSecret: !!secret, isUsed: !notYet }]),
)

function entries() {
  return Object.entries<Variable<unknown>>(variables)
}

function readAll(env: NodeJS.ProcessEnv, readFile: (path: string) => string, nowMs: number) {
  const values: Record<string, unknown> = {}
  for (const [name, variable] of entries()) {
    const given = findText(name, variable, env, readFile)
    values[name] = given === null ? variable.default : toValue(variable, given, nowMs)
  }
  for (const [name, { needs }] of entries()) {
    if (needs !== undefined && values[name] !== null && values[needs] === null) {
      throw new ConfigError(
        `${name} is set, but ${needs} is not; allowed: ${name} only together with ${needs}`,
      )
    }
  }
  return values as Values
}

/** A variable's text, and where it comes from in the words of a message. */
type Given = { where: string; text: string }

function findText(
  name: string,
  variable: Variable<unknown>,
  env: NodeJS.ProcessEnv,
  readFile: (path: string) => string,
): Given | null {
  const text = env[name]
  const path = variable.secret && env[`${name}_FILE`]
  if (path === undefined) return text === undefined ? null : { where: name, text }
  if (text !== undefined) {
    throw new ConfigError(`${name} and ${name}_FILE are both set; allowed: one of the two`)
  }
  if (path.trim() === '') {
    throw new ConfigError(`${name}_FILE is empty; allowed: the path of a file, or not to set it`)
  }
  // What has no slash may be the secret itself, put into the wrong variable.
  const where = path.includes('/') ? `${name}_FILE ${quote(path)}` : `${name}_FILE`
  return { where, text: readText(where, path, readFile).replace(/[\r\n]+$/, '') }
}

function readText(where: string, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `${where} can't be read (${code ?? 'no such file'}); allowed: the path of a file that can`,
    )
  }
}

function toValue<Value>(variable: Variable<Value>, { where, text }: Given, nowMs: number): Value {
  if (text.trim() === '') {
    throw new ConfigError(`${where} is empty; allowed: ${variable.allowed}, or not to set it`)
  }
  const value = variable.parse(text, nowMs)
  if (value !== undefined) return value
  // A URL with a password or a token in it can end up in any variable.
  const hidden = variable.secret || /[@?]|#.*=/s.test(text)
  const given = hidden ? 'set to what is not shown here' : quote(text)
  throw new ConfigError(`${where} is ${given}; allowed: ${variable.allowed}`)
}

function warningsOf(values: Values): string[] {
  const warnings = (['SPOTIFY_API_URL', 'SPOTIFY_ACCOUNTS_URL'] as const)
    .filter((name) => isPlainHttp(new URL(values[name])))
    .map((name) => `${name} is plain http to another machine: secrets travel unencrypted`)
  if (values.DEMO && values.SPOTIFY_CLIENT_ID !== null) {
    warnings.push('DEMO is true: the rows are made up, and SPOTIFY_CLIENT_ID is not used')
  }
  return warnings
}

function isPlainHttp({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopbackHost(hostname)
}

function objectionToDemo(config: Config, holdsConnections: () => boolean): string | null {
  if (config.demo === false) return 'DEMO is false'
  if (!isLoopbackHost(config.host)) return `HOST ${quote(config.host)} is open to others`
  return holdsConnections() ? 'the database holds connections that need it' : null
}

function wholeNumber(standard: number, least: number, most: number): Variable<number> {
  return {
    allowed: `a whole number from ${least} to ${most} in plain digits`,
    parse(text) {
      const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN
      return number >= least && number <= most ? number : undefined
    },
    default: standard,
  }
}

function oneOf(words: string[], standard: string): Variable<string> {
  return {
    allowed: words.join(', '),
    parse: (text) => (words.includes(text) ? text : undefined),
    default: standard,
  }
}

function trueOrFalse<Unset extends boolean | null>(unset: Unset): Variable<boolean | Unset> {
  return {
    allowed: 'true or false',
    parse: (text) => text === 'true' || (text === 'false' ? false : undefined),
    default: unset,
  }
}

/** Printable ASCII: RFC 6749, appendix A, has it so; a space there is a slip of the hand. */
function secret(needs: string): Variable<string | null> {
  return {
    allowed: 'printable ASCII characters without white space',
    parse: (text) => (/^[\x21-\x7e]+$/.test(text) ? text : undefined),
    default: null,
    secret: true,
    needs,
  }
}

function refused(reason: string): Variable<null> {
  return {
    allowed: `only not to set it, since ${reason}`,
    parse: () => undefined,
    default: null,
    secret: true,
  }
}

function notYet(): Variable<string | null> {
  return {
    allowed: 'what the documentation says',
    parse: (text) => text,
    default: null,
    notYet: true,
  }
}

function url(standard: string): Variable<string> {
  return {
    allowed: 'an http or https URL without user, password, query and fragment',
    parse: toBaseUrl,
    default: standard,
  }
}

function toBaseUrl(text: string): string | undefined {
  // The parser forgives white space, control characters, backslashes and a third slash.
  if (!/^https?:\/\/(?!\/)[^\s\p{Cc}\\?#]+$/iu.test(text)) return undefined
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return undefined
  return url.href.replace(/\/+$/, '')
}

function toHost(text: string): string | undefined {
  // In a URL an IPv6 address has brackets; to listen on it, it has none.
  const address = text.replace(/^\[(.+)\]$/, '$1')
  if (isIPv6(address)) return address
  return /^[\w-]+(\.[\w-]+)*$/.test(text) ? text : undefined
}

/** As Lakeflow's `externalOptionsAllowList`: names with commas between; `none` allows none. */
function toExternalOptions(text: string): readonly OptionName[] | undefined {
  const names = text.split(',').map((name) => name.trim())
  if (names.length === 1 && names[0] === 'none') return []
  const known: readonly string[] = externalOptions
  if (!names.every((name) => known.includes(name))) return undefined
  return externalOptions.filter((name) => names.includes(name))
}

/** Unix ms. A day's grace, since a date without a time may be ahead of UTC. */
function toPastMs(text: string, nowMs: number): number | undefined {
  const day = isoInstant.exec(text)?.[1]
  if (day === undefined || !isRealDay(day)) return undefined
  const ms = Date.parse(text)
  return ms <= nowMs + dayMs ? ms : undefined
}

function isRealDay(day: string): boolean {
  // `Date` reads 30 February as 2 March.
  const ms = Date.parse(day)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day)
}
