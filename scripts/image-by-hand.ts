// The Dockerfile's steps by hand, where there is no Docker: `npm run image-by-hand`, as root on
// Linux. What the image would hold goes into an empty folder, which becomes the root of a process
// with the image's environment, user and command: read-only but for /data. It has to refuse to be a
// demo, to serve, and to end with exit code 0 at SIGTERM.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { makeLibrary } from '../src/simulator/library.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { readDockerfile } from './read-dockerfile.ts'

const port = 18_082
// Of the machine, for Node and for the commands that make the process what it is.
const lent = ['bin', 'dev', 'etc', 'lib', 'lib64', 'proc', 'usr']
const image = readDockerfile(readFileSync('Dockerfile', 'utf8'))
const kept = readFileSync('.dockerignore', 'utf8').match(/(?<=^!).+$/gm) ?? []

assert.equal(process.getuid?.(), 0, 'to become the user of the image it has to run as root')
const root = mkdtempSync(join(tmpdir(), 'image-'))
try {
  build()
  await refusesToBeADemo()
  await writesNowhereElse()
  await servesAndStops()
  process.stdout.write('The image by hand: all is well\n')
} finally {
  rmSync(root, { recursive: true })
}

function build(): void {
  chmodSync(root, 0o755)
  for (const folder of [...lent, 'app', 'app/scripts', 'data', 'run', 'run/secrets', 'image/bin']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  cpSync(process.execPath, join(root, 'image/bin/node'))
  for (const path of kept.filter((path) => existsSync(path))) {
    cpSync(path, join(root, 'app', path), { recursive: true })
  }
  const install = ['ci', '--omit=dev', '--ignore-scripts', '--loglevel=error']
  execFileSync('npm', install, { cwd: join(root, 'app'), stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(join(root, 'app/package-lock.json'))
  chownSync(join(root, 'data'), image.user, image.user)
  chmodSync(join(root, 'data'), 0o700)
}

/** Starts a command as a container of the image would. */
function run([program, ...args]: string[], env: Record<string, string> = {}): ChildProcess {
  const variables = Object.entries({ PATH: '/image/bin:/usr/bin:/bin', ...image.env, ...env })
  const mounts = [
    ...lent.map((folder) => `mount --rbind /${folder} "$0/${folder}"`),
    'mount --bind "$0/data" "$0/data"',
    'mount -o remount,bind,ro "$0"',
  ]
  const script = [
    'mount --bind "$0" "$0"',
    ...mounts,
    `exec chroot "$0" setpriv --reuid ${image.user} --regid ${image.user} --clear-groups \
      --no-new-privs --inh-caps=-all --bounding-set=-all env --chdir=/app -i "$@"`,
  ].join(' && ')
  const named = variables.map(([name, value]) => `${name}=${value}`)
  return spawn(
    'unshare',
    ['--mount', 'sh', '-c', script, root, ...named, String(program), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
}

/** What a command has written, and its exit code. */
async function outcomeOf(child: ChildProcess) {
  const { stdout, stderr } = child as {
    stdout: NodeJS.ReadableStream
    stderr: NodeJS.ReadableStream
  }
  const [out, error, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code, out, error }
}

async function refusesToBeADemo(): Promise<void> {
  const refusal = /^configuration: [^\n]+\n$/
  for (const env of [{}, { ALLOW_ANONYMOUS: 'true' }, { HOST: '127.0.0.1' }]) {
    const { code, error } = await outcomeOf(run(image.command, env))
    assert.equal(code, 1)
    assert.match(error, refusal)
    process.stdout.write(error)
  }
}

async function writesNowhereElse(): Promise<void> {
  for (const [path, code] of [
    ['/x', 1],
    ['/app/x', 1],
    ['/run/x', 1],
    ['/data/x', 0],
  ] as const) {
    const outcome = await outcomeOf(run(['touch', path]))
    assert.equal(outcome.code, code, `${path}: ${outcome.error}`)
  }
}

async function servesAndStops(): Promise<void> {
  // A rotated token has to be stored before it is used.
  const library = makeLibrary({ tracks: 237 })
  const spotify = await startSimulator({ rotate: true, library })
  const secrets = {
    SPOTIFY_CLIENT_ID: spotify.clientId,
    SPOTIFY_CLIENT_SECRET: spotify.clientSecret,
  }
  const files = Object.entries({ ...secrets, SPOTIFY_REFRESH_TOKEN: spotify.refreshToken }).map(
    ([name, secret]) => {
      const path = join('/run/secrets', name)
      writeFileSync(join(root, path), secret, { mode: 0o400 })
      chownSync(join(root, path), image.user, image.user)
      return [`${name}_FILE`, path]
    },
  )
  const env = {
    ...Object.fromEntries(files),
    SPOTIFY_API_URL: spotify.apiUrl,
    SPOTIFY_ACCOUNTS_URL: spotify.accountsUrl,
    ALLOW_ANONYMOUS: 'true',
    PORT: String(port),
  }
  const child = run(image.command, env)
  const ended = outcomeOf(child)
  try {
    await ready(ended)
    const { records, has_more } = (await ask('/tables/tracks/read')) as {
      records: unknown[]
      has_more: boolean
    }
    assert.equal(records.length, library.tracks.length)
    assert.equal(has_more, false)
    assert.equal((await outcomeOf(run(image.healthCheck, { PORT: String(port) }))).code, 0)
  } finally {
    child.kill('SIGTERM')
  }
  const { code, out, error } = await ended
  await spotify.close()
  assert.equal(code, 0, `${error}${out}`)
  assert.match(out, /"msg":"stopped"/)
  const { mode, uid } = statSync(join(root, 'data/connector.db'))
  assert.deepEqual([mode & 0o777, uid], [0o600, image.user])
  assert.equal((await outcomeOf(run(image.healthCheck, { PORT: String(port) }))).code, 1)
  const cleared = await outcomeOf(run(['node', 'scripts/clear-mark.ts', 'default']))
  assert.match(cleared.error, /has no mark/)
}

async function ready(ended: Promise<{ error: string }>): Promise<void> {
  const over = ended.then(({ error }) => Promise.reject(new Error(`it ended: ${error}`)))
  const up = async () => {
    // A refused connection means that it does not listen yet.
    while ((await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status !== 200) {
      await delay(20)
    }
  }
  await Promise.race([up(), over])
}

async function ask(path: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`)
  assert.equal(answer.status, 200, path)
  return answer.json()
}
