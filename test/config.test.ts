import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { type Config, isLoopbackHost, readConfig, resolveMode } from '../src/config.ts'
import { ConfigError } from '../src/errors.ts'
import { optionNames } from '../src/tables/table.ts'

const clock = { now: () => Date.parse('2026-11-25T12:00:00Z') }
const app = { SPOTIFY_CLIENT_ID: 'the-id', SPOTIFY_CLIENT_SECRET: 'hush-secret' }
const account = { ...app, SPOTIFY_REFRESH_TOKEN: 'hush-token' }

type Env = Record<string, string>

function configOf(env: Env, files: Env = {}): Config {
  const readFile = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: no such file,\nopen '${path}'`)
    return text
  }
  return readConfig(env, readFile, clock)
}

/** The line with which an environment is refused. */
function refusalOf(env: Env, files: Env = {}): string {
  try {
    configOf(env, files)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error(`not refused: ${JSON.stringify(env)}`)
}

t.test('an empty environment gives the documented defaults', async (t) => {
  t.strictSame(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    publicUrl: null,
    allowAnonymous: false,
    accessKeys: [],
    logLevel: 'info',
    demo: null,
    credentials: null,
    spotifyApiUrl: 'https://api.spotify.com/v1',
    spotifyAccountsUrl: 'https://accounts.spotify.com',
    requestsPerMinute: 100,
    burst: 250,
    concurrency: 8,
    readWaitBudgetMs: 20_000,
    streamWaitBudgetMs: 600_000,
    externalOptions: ['time_range', 'limit', 'max_pages'],
    maxConcurrentReads: 256,
    shutdownGraceMs: 25_000,
    proxies: { http: null, https: null, except: '' },
    databaseUrl: 'sqlite:.data/connector.db',
    databaseUrlGiven: false,
    encryptionKeys: [],
    warnings: [],
  })
})

t.test('what is set is taken', async (t) => {
  const config = configOf({
    ...account,
    HOST: '0.0.0.0',
    PORT: '0',
    PUBLIC_URL: 'https://connector.example/spotify/',
    ALLOW_ANONYMOUS: 'true',
    LOG_LEVEL: 'silent',
    DEMO: 'false',
    SPOTIFY_CONSENTED_AT: '2026-11-20',
    SPOTIFY_API_URL: 'http://127.0.0.1:9000/v1/',
    SPOTIFY_ACCOUNTS_URL: 'HTTP://LOCALHOST:9001//',
    SPOTIFY_REQUESTS_PER_MINUTE: '0',
    SPOTIFY_BURST: '1',
    SPOTIFY_CONCURRENCY: '1',
    READ_WAIT_BUDGET_MS: '1000',
    STREAM_WAIT_BUDGET_MS: '2000',
    EXTERNAL_OPTIONS_ALLOW_LIST: 'limit, time_range',
    MAX_CONCURRENT_READS: '1',
    SHUTDOWN_GRACE_MS: '0',
    HTTPS_PROXY: 'http://proxy.example:3128',
    DATABASE_URL: 'sqlite:/data/connector.db',
  })
  t.strictSame(config, {
    host: '0.0.0.0',
    port: 0,
    publicUrl: 'https://connector.example/spotify',
    allowAnonymous: true,
    accessKeys: [],
    logLevel: 'silent',
    demo: false,
    credentials: {
      clientId: 'the-id',
      clientSecret: 'hush-secret',
      refreshToken: 'hush-token',
      consentedAtMs: Date.parse('2026-11-20T00:00:00Z'),
    },
    spotifyApiUrl: 'http://127.0.0.1:9000/v1',
    spotifyAccountsUrl: 'http://localhost:9001',
    requestsPerMinute: 0,
    burst: 1,
    concurrency: 1,
    readWaitBudgetMs: 1000,
    streamWaitBudgetMs: 2000,
    externalOptions: ['time_range', 'limit'],
    maxConcurrentReads: 1,
    shutdownGraceMs: 0,
    proxies: {
      http: null,
      https: { variable: 'HTTPS_PROXY', url: 'http://proxy.example:3128/' },
      except: '',
    },
    databaseUrl: 'sqlite:/data/connector.db',
    databaseUrlGiven: true,
    encryptionKeys: [],
    warnings: [],
  })
})

t.test('an app without a refresh token waits for consent', async (t) => {
  t.match(configOf(app).credentials, { refreshToken: null, consentedAtMs: null })
})

t.test('the day of consent may have a time with its zone', async (t) => {
  const at = (text: string) =>
    configOf({ ...account, SPOTIFY_CONSENTED_AT: text }).credentials?.consentedAtMs
  t.equal(at('2026-11-25T14:30+02:00'), Date.parse('2026-11-25T12:30:00Z'))
  t.equal(at('2024-02-29T23:59:59.250Z'), Date.parse('2024-02-29T23:59:59.250Z'))
  t.equal(at('2026-11-26'), Date.parse('2026-11-26T00:00:00Z'), 'it may be tomorrow already')
})

const hushKey = `${'hush'.repeat(10)}hus=` // base64 of 32 bytes

const wrong: [variable: string, env: Env][] = [
  ['HTTP_PROXY', { HTTP_PROXY: 'socks5://proxy.example:1080' }],
  ['PUBLIC_URL', { PUBLIC_URL: 'http://connector.example' }],
  ['PORT', { PORT: '65536' }],
  ['PORT', { PORT: '-1' }],
  ['PORT', { PORT: '1e3' }],
  ['PORT', { PORT: '0x10' }],
  ['PORT', { PORT: '+5' }],
  ['PORT', { PORT: ' 5' }],
  ['PORT', { PORT: '5\n' }],
  ['PORT', { PORT: '5.0' }],
  ['PORT', { PORT: '08080' }],
  ['PORT', { PORT: '٨٠' }],
  ['SPOTIFY_REQUESTS_PER_MINUTE', { SPOTIFY_REQUESTS_PER_MINUTE: '-5' }],
  ['SPOTIFY_BURST', { SPOTIFY_BURST: '0' }],
  ['SPOTIFY_CONCURRENCY', { SPOTIFY_CONCURRENCY: '0' }],
  ['SPOTIFY_CONCURRENCY', { SPOTIFY_CONCURRENCY: '257' }],
  ['MAX_CONCURRENT_READS', { MAX_CONCURRENT_READS: '0' }],
  ['SHUTDOWN_GRACE_MS', { SHUTDOWN_GRACE_MS: '25s' }],
  ['PUBLIC_URL', { PUBLIC_URL: 'http://localhost:8080' }],
  ['EXTERNAL_OPTIONS_ALLOW_LIST', { EXTERNAL_OPTIONS_ALLOW_LIST: 'limit,offset' }],
  ['EXTERNAL_OPTIONS_ALLOW_LIST', { EXTERNAL_OPTIONS_ALLOW_LIST: 'limit,' }],
  ['EXTERNAL_OPTIONS_ALLOW_LIST', { EXTERNAL_OPTIONS_ALLOW_LIST: 'Limit' }],
  ['EXTERNAL_OPTIONS_ALLOW_LIST', { EXTERNAL_OPTIONS_ALLOW_LIST: 'none,limit' }],
  ['HTTPS_PROXY', { HTTPS_PROXY: 'http://:port' }],
  ['STREAM_WAIT_BUDGET_MS', { STREAM_WAIT_BUDGET_MS: '10min' }],
  ['READ_WAIT_BUDGET_MS', { READ_WAIT_BUDGET_MS: '20s' }],
  ['READ_WAIT_BUDGET_MS', { READ_WAIT_BUDGET_MS: '99999999999' }],
  ['HOST', { HOST: '0.0.0.0' }],
  ['HOST', { HOST: '::' }],
  ['HOST', { HOST: 'connector.example' }],
  ['HOST', { HOST: '127.evil.com' }],
  ['HOST', { HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'false' }],
  ['HOST', { HOST: 'localhost:8080' }],
  ['HOST', { HOST: 'http://localhost' }],
  ['HOST', { HOST: '[localhost]' }],
  ['HOST', { HOST: 'two\nlines' }],
  ['ALLOW_ANONYMOUS', { ALLOW_ANONYMOUS: 'yes', HOST: '0.0.0.0' }],
  ['ALLOW_ANONYMOUS', { ALLOW_ANONYMOUS: 'constructor' }],
  ['DEMO', { DEMO: 'TRUE' }],
  ['DEMO', { DEMO: '1' }],
  ['LOG_LEVEL', { LOG_LEVEL: 'verbose' }],
  ['LOG_LEVEL', { LOG_LEVEL: 'INFO' }],
  ['SPOTIFY_CLIENT_ID', { SPOTIFY_CLIENT_ID: 'the-id' }],
  ['SPOTIFY_CLIENT_SECRET', { SPOTIFY_CLIENT_SECRET: 'hush-secret' }],
  ['SPOTIFY_REFRESH_TOKEN', { SPOTIFY_REFRESH_TOKEN: 'hush-token' }],
  ['SPOTIFY_CLIENT_ID', { ...account, SPOTIFY_CLIENT_ID: 'hush id' }],
  ['SPOTIFY_CLIENT_SECRET', { ...account, SPOTIFY_CLIENT_SECRET: 'hush-secret\n' }],
  ['SPOTIFY_REFRESH_TOKEN', { ...account, SPOTIFY_REFRESH_TOKEN: 'hush\u0000token' }],
  ['SPOTIFY_REFRESH_TOKEN', { ...account, SPOTIFY_REFRESH_TOKEN: '\u200bhush-token' }],
  ['SPOTIFY_CLIENT_SECRET', { ...account, SPOTIFY_CLIENT_SECRET_FILE: '/secret' }],
  ['SPOTIFY_CONSENTED_AT', { ...app, SPOTIFY_CONSENTED_AT: '2026-11-20' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '2026-02-30' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '2025-02-29T10:00:00Z' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '2026-13-01' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '2026-11-20T25:00:00Z' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '2026-11-20T10:00:00' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '20.11.2026' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '1795176000' }],
  ['SPOTIFY_CONSENTED_AT', { ...account, SPOTIFY_CONSENTED_AT: '2026-11-27' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'api.spotify.com/v1' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'ftp://api.spotify.com' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'https://me:hush@api.spotify.com/v1' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'https://me:hu/sh@api.spotify.com/v1' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'https://hush@api.spotify.com/v1' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'https://api.spotify.com/v1?token=hush' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'https://api.spotify.com/v1#' }],
  ['SPOTIFY_API_URL', { SPOTIFY_API_URL: 'https://api.spotify.com/v1 ' }],
  ['SPOTIFY_ACCOUNTS_URL', { SPOTIFY_ACCOUNTS_URL: 'https://' }],
  ['SPOTIFY_ACCOUNTS_URL', { SPOTIFY_ACCOUNTS_URL: 'https:///accounts.spotify.com' }],
  ['SPOTIFY_ACCOUNTS_URL', { SPOTIFY_ACCOUNTS_URL: 'https:\\\\accounts.spotify.com' }],
  ['SPOTIFY_ACCOUNTS_URL', { SPOTIFY_ACCOUNTS_URL: 'https://accounts.spo\ntify.com' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://me:hush@database/connector' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://database/connector?password=hush' }],
  ['DATABASE_URL', { DATABASE_URL: '/data/connector.db' }],
  ['DATABASE_URL', { DATABASE_URL: 'sqlite:' }],
  ['API_KEYS', { API_KEYS: 'hush1,' }],
  ['API_KEYS', { API_KEYS: 'hush1\n' }],
  ['API_KEYS', { API_KEYS: 'hush1, hush2' }],
  ['API_KEYS', { API_KEYS: 'hush1,hush1' }],
  ['API_KEYS', { API_KEYS: 'hush1@' }],
  ['API_KEYS', { API_KEYS: 'hush1@Hush' }],
  ['API_KEYS', { API_KEYS: 'hush', API_KEYS_FILE: '/secret' }],
  ['API_KEYS_FILE', { API_KEYS_FILE: '/keys' }],
  ['ALLOW_ANONYMOUS', { ALLOW_ANONYMOUS: 'true', API_KEYS: 'hush' }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: 'hush' }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: 'hush'.repeat(11) }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: `${'hush'.repeat(11)},` }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: `${hushKey}\n` }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: hushKey.slice(0, -1) }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: hushKey.replaceAll('h', '-') }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: `${hushKey},` }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: `${hushKey}, ${hushKey}` }],
  ['DATABASE_ENCRYPTION_KEY', { DATABASE_ENCRYPTION_KEY: `${hushKey},${hushKey}` }],
  ['DATABASE_ENCRYPTION_KEY_FILE', { DATABASE_ENCRYPTION_KEY_FILE: '/secret' }],
]

t.test('a wrong value is refused in one line that names the variable', async (t) => {
  for (const [variable, env] of wrong) {
    const line = refusalOf(env, { '/secret': 'hush', '/keys': 'hush1\n\nhush2' })
    const what = JSON.stringify(env)
    t.ok(line.startsWith(`${variable} `), `${what}: ${line}`)
    t.match(line, /; allowed: \S/, `${what}: what is allowed is said`)
    t.notMatch(line, /[\p{Cc}\u2028\u2029]/u, `${what}: one line`)
    t.notMatch(line, /hush|hu\/sh/, `${what}: no secret`)
  }
})

t.test('each variable that the README tells of has a wrong value among these', async (t) => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, section = ''] = readme.split('\n## Configuration\n')
  const rows = section.split('\n## ')[0]?.match(/^\| `[A-Z].*?\|/gm) ?? []
  const told = rows.flatMap((row) => row.match(/[A-Z_]{4,}/g) ?? [])
  // Of these two no text is wrong, and the latter is Node's own.
  const tried = new Set([...wrong.map(([name]) => name), 'NO_PROXY', 'NODE_EXTRA_CA_CERTS'])
  t.ok(told.length >= 20, `${told.length} variables`)
  t.strictSame(
    told.filter((name) => !tried.has(name)),
    [],
  )
})

t.test('what was given is told back, unless it may hold a secret', async (t) => {
  t.match(refusalOf({ PORT: '99999' }), 'PORT is "99999"; ')
  t.match(refusalOf({ PORT: '80\n80' }), String.raw`PORT is "80\n80"; `)
  t.match(refusalOf({ SPOTIFY_API_URL: 'ftp://api' }), 'SPOTIFY_API_URL is "ftp://api"; ')
})

const names = [
  ...['HOST', 'PORT', 'LOG_LEVEL', 'DEMO', 'ALLOW_ANONYMOUS', 'DATABASE_URL', 'API_KEYS'],
  ...['SPOTIFY_CLIENT_ID', 'SPOTIFY_CLIENT_SECRET', 'SPOTIFY_REFRESH_TOKEN'],
  ...['SPOTIFY_CLIENT_ID_FILE', 'SPOTIFY_CLIENT_SECRET_FILE', 'SPOTIFY_REFRESH_TOKEN_FILE'],
  ...['SPOTIFY_CONSENTED_AT', 'SPOTIFY_API_URL', 'SPOTIFY_ACCOUNTS_URL', 'SPOTIFY_BURST'],
  ...['SPOTIFY_REQUESTS_PER_MINUTE', 'READ_WAIT_BUDGET_MS', 'DATABASE_ENCRYPTION_KEY'],
  ...['PUBLIC_URL', 'SPOTIFY_CONCURRENCY', 'STREAM_WAIT_BUDGET_MS', 'MAX_CONCURRENT_READS'],
  ...['EXTERNAL_OPTIONS_ALLOW_LIST', 'SHUTDOWN_GRACE_MS'],
]

t.test('a variable that is set but empty is refused, whichever it is', async (t) => {
  for (const name of names) {
    for (const text of ['', ' ', '\t\r\n']) {
      t.match(refusalOf({ [name]: text }), new RegExp(`^${name} is empty; allowed: .`))
    }
  }
})

t.test('any text in a numeric variable gives a number in range or a line naming it', async (t) => {
  const ranges: [string, keyof Config, number, number][] = [
    ['PORT', 'port', 0, 65_535],
    ['SPOTIFY_REQUESTS_PER_MINUTE', 'requestsPerMinute', 0, 1_000_000],
    ['SPOTIFY_BURST', 'burst', 1, 1_000_000],
    ['SPOTIFY_CONCURRENCY', 'concurrency', 1, 256],
    ['READ_WAIT_BUDGET_MS', 'readWaitBudgetMs', 0, 86_400_000],
    ['STREAM_WAIT_BUDGET_MS', 'streamWaitBudgetMs', 0, 86_400_000],
    ['MAX_CONCURRENT_READS', 'maxConcurrentReads', 1, 1_000_000],
    ['SHUTDOWN_GRACE_MS', 'shutdownGraceMs', 0, 86_400_000],
  ]
  const numeric = fc.oneof(fc.integer().map(String), fc.double().map(String))
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    numeric,
    fc.stringMatching(/^[\s\d+.exX-]*$/),
  )
  for (const [name, field, least, most] of ranges) {
    const holds = (text: string) => {
      try {
        const value = configOf({ [name]: text })[field] as number
        return Number(text) === value && value >= least && value <= most
      } catch (error) {
        const line = error instanceof ConfigError ? error.message : ''
        return line.startsWith(name) && !/[\p{Cc}\u2028\u2029]/u.test(line)
      }
    }
    fc.assert(fc.property(text, holds), { numRuns: 300 })
    t.pass(name)
  }
})

t.test('any text in a secret is taken to the letter or refused without being told', async (t) => {
  const holds = (text: string, fromFile: boolean) => {
    const secret = `hush${text}hush`
    const env = { SPOTIFY_CLIENT_ID: 'the-id' }
    try {
      const config = fromFile
        ? configOf({ ...env, SPOTIFY_CLIENT_SECRET_FILE: '/secret' }, { '/secret': secret })
        : configOf({ ...env, SPOTIFY_CLIENT_SECRET: secret })
      return config.credentials?.clientSecret === secret
    } catch (error) {
      return error instanceof ConfigError && !error.message.includes('hush')
    }
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.boolean(), holds))
  t.pass()
})

t.test('secrets can come from files, whose last line may end', async (t) => {
  const config = configOf(
    {
      SPOTIFY_CLIENT_ID_FILE: '/id',
      SPOTIFY_CLIENT_SECRET_FILE: '/secret',
      SPOTIFY_REFRESH_TOKEN_FILE: '/token',
      SPOTIFY_CONSENTED_AT: '2026-11-20',
    },
    { '/id': 'the-id', '/secret': 'the-secret\n', '/token': 'the-token\r\n\r\n' },
  )
  t.match(config.credentials, {
    clientId: 'the-id',
    clientSecret: 'the-secret',
    refreshToken: 'the-token',
  })
})

t.test('files are read from the disk, and the system says why it cannot', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'secret')
  writeFileSync(path, 'hush\n')
  const env = { SPOTIFY_CLIENT_ID: 'the-id', SPOTIFY_CLIENT_SECRET_FILE: path }
  t.equal(readConfig(env).credentials?.clientSecret, 'hush')
  t.throws(() => readConfig({ ...env, SPOTIFY_CLIENT_SECRET_FILE: folder }), {
    name: 'ConfigError',
    message: /^SPOTIFY_CLIENT_SECRET_FILE ".+" can't be read \(EISDIR\)/,
  })
})

t.test('a secret file that is of no use is refused with its path and the reason', async (t) => {
  const env = { SPOTIFY_CLIENT_ID: 'the-id', SPOTIFY_CLIENT_SECRET_FILE: '/secret' }
  const start = 'SPOTIFY_CLIENT_SECRET_FILE "/secret"'
  t.match(refusalOf(env), `${start} can't be read (no such file); `)
  t.match(refusalOf(env, { '/secret': '\r\n' }), `${start} is empty; allowed: `)
  for (const text of ['hush hush', 'first: hush\nsecond: hush\n', '\ufeffhush', 'hush\ufffd']) {
    const line = refusalOf(env, { '/secret': text })
    t.match(line, `${start} is set to what is not shown here; allowed: `)
    t.notMatch(line, 'hush')
  }
})

t.test('a secret that was put where its path belongs is not told', async (t) => {
  const line = refusalOf({
    SPOTIFY_CLIENT_ID: 'the-id',
    SPOTIFY_CLIENT_SECRET_FILE: '0123456789abcdef',
  })
  t.match(line, "SPOTIFY_CLIENT_SECRET_FILE can't be read")
  t.notMatch(line, '0123456789abcdef')
})

t.test('the options that callers may pass are named, or none is', async (t) => {
  const of = (text: string) => configOf({ EXTERNAL_OPTIONS_ALLOW_LIST: text }).externalOptions
  t.strictSame(configOf({}).externalOptions, optionNames, 'all there are')
  t.strictSame(of('max_pages'), ['max_pages'])
  t.strictSame(of(' max_pages,limit '), ['limit', 'max_pages'], 'in their own order')
  t.strictSame(of('none'), [])
  t.match(
    refusalOf({ EXTERNAL_OPTIONS_ALLOW_LIST: 'limit,market' }),
    /^EXTERNAL_OPTIONS_ALLOW_LIST is "limit,market"; allowed: some of time_range, limit, max_pages/,
  )
})

t.test('the public address is one that Spotify takes as a redirect URI', async (t) => {
  for (const [text, taken] of [
    ['https://connector.example', 'https://connector.example'],
    ['https://connector.example:8443/spotify//', 'https://connector.example:8443/spotify'],
    ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    ['http://[::1]:9000/', 'http://[::1]:9000'],
  ] as const) {
    t.equal(configOf({ PUBLIC_URL: text }).publicUrl, taken)
  }
  for (const text of [
    ...['http://localhost:8080', 'http://connector.example', 'http://127.0.0.2', 'ftp://127.0.0.1'],
    ...['http://127.0.0.1.example', 'https://a.example/?x', 'https://a.example/#x', 'a.example'],
    ...['https://user:pass@a.example', 'https://'],
  ]) {
    t.match(refusalOf({ PUBLIC_URL: text }), /^PUBLIC_URL is .*; allowed: an https URL, or http:/)
  }
})

t.test('plain http to another machine is warned of, to this one it is not', async (t) => {
  const { warnings } = configOf({
    SPOTIFY_API_URL: 'http://api.example/v1',
    SPOTIFY_ACCOUNTS_URL: 'http://[::1]:9001',
  })
  t.match(warnings, [/^SPOTIFY_API_URL is plain http/])
  t.equal(warnings.length, 1)
})

t.test('access keys open other hosts, and may be a line each in their file', async (t) => {
  const { host, accessKeys, warnings } = configOf(
    { HOST: '0.0.0.0', API_KEYS_FILE: '/keys' },
    { '/keys': 'a-key-of-16-chars@one+two\r\nother-key-of-16-c,third-key-of-16-c\n\n' },
  )
  t.equal(host, '0.0.0.0')
  t.strictSame(accessKeys, [
    { key: 'a-key-of-16-chars', connections: ['one', 'two'] },
    { key: 'other-key-of-16-c', connections: null },
    { key: 'third-key-of-16-c', connections: null },
  ])
  t.strictSame(warnings, [])
})

t.test('an encryption key may be followed by the one that it takes the place of', async (t) => {
  const [one, two] = [randomBytes(32), randomBytes(32)]
  const keysOf = (text: string) =>
    configOf({ DATABASE_ENCRYPTION_KEY_FILE: '/key' }, { '/key': text }).encryptionKeys
  const [only, ...none] = keysOf(`${one.toString('base64')}\n`)
  t.ok(only?.export().equals(one))
  t.strictSame(none, [])
  for (const between of [',', '\n', '\r\n']) {
    const keys = keysOf(`${two.toString('base64')}${between}${one.toString('base64')}`)
    t.strictSame(
      keys.map((key) => key.export().toString('hex')),
      [two.toString('hex'), one.toString('hex')],
    )
  }
})

t.test('a short access key is warned of, without being told', async (t) => {
  const { warnings } = configOf({ API_KEYS: 'sixteen-chars-xx,hush-15-chars-x@one,k2' })
  t.match(warnings, [/^API_KEYS: key no\. 2 is shorter/, /^API_KEYS: key no\. 3 is shorter/])
  t.equal(warnings.length, 2)
  t.notMatch(warnings.join('\n'), /hush|k2/)
})

t.test('credentials that a demo leaves unused are warned of', async (t) => {
  t.match(configOf({ ...account, DEMO: 'true' }).warnings, [/^DEMO is true/])
  t.strictSame(configOf({ DEMO: 'true' }).warnings, [])
})

t.test('an IPv6 address to listen on may have the brackets of a URL', async (t) => {
  t.equal(configOf({ HOST: '[::1]' }).host, '::1')
  t.equal(configOf({ HOST: '::', ALLOW_ANONYMOUS: 'true' }).host, '::')
})

t.test('only names that can mean nothing but this machine are loopback names', async (t) => {
  const loopback = ['localhost', 'LocalHost', '127.0.0.1', '127.255.0.3', '::1', '[::1]']
  for (const name of loopback) t.ok(isLoopbackHost(name), name)
  const other = [
    ...['', 'localhost.', 'localhost.evil.com', 'evil.localhost', '127.evil.com', 'evil.com'],
    ...['127.1', '127.0.0.1.', '127.0.0.1.evil.com', '127.0.0.256', '127.0.0.01', '127.0.0.1\n'],
    ...[
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '0.0.0.0',
      '128.0.0.1',
      '10.127.0.0',
      '１27.0.0.1',
    ],
    ...[
      '::',
      '[::]',
      '[::1',
      '::1]',
      '[[::1]]',
      '::2',
      '[127.0.0.1]',
      '127.0.0.1:80',
      'localhost ',
    ],
  ]
  for (const name of other) t.notOk(isLoopbackHost(name), name)
})

t.test('the mode follows from DEMO, the credentials, the host and the database', async (t) => {
  const neverAsked = () => t.fail('the database was asked')
  const mode = (env: Env, holds: () => boolean) => resolveMode(configOf(env), holds)
  const open = { HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }

  t.equal(mode({ DEMO: 'true' }, neverAsked), 'demo')
  t.equal(mode({ DEMO: 'true', ...account, ...open }, neverAsked), 'demo')
  t.equal(mode({ DEMO: 'true', API_KEYS: 'a-key-of-16-chars' }, neverAsked), 'demo')
  t.equal(mode(account, neverAsked), 'spotify')
  t.equal(mode({ ...app, DEMO: 'false' }, neverAsked), 'spotify')
  t.equal(
    mode({}, () => false),
    'demo',
  )

  const refused: [RegExp, Env, () => boolean][] = [
    [/DEMO is false/, { DEMO: 'false' }, neverAsked],
    [/HOST "0\.0\.0\.0" is open/, open, neverAsked],
    [/database holds connections/, {}, () => true],
    [/API_KEYS is set/, { API_KEYS: 'a-key-of-16-chars' }, neverAsked],
  ]
  for (const [reason, env, holds] of refused) {
    t.throws(() => mode(env, holds), { name: 'ConfigError', message: reason })
    t.throws(() => mode(env, holds), { message: /^SPOTIFY_CLIENT_ID is not set, .+DEMO=true/ })
  }
})
