// The Dockerfile's steps by hand, where there is no Docker: `npm run image-by-hand`, as root on
// Linux. What the image would hold goes into an empty folder, which becomes the root of a process
// with the image's environment, user and command: read-only but for /data. It has to refuse to be a
// demo, to be authorised and to serve as the Kubernetes manifest has it, and to end with exit code 0.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { makeLibrary } from '../src/simulator/library.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { Browser } from '../test/helpers/browser.ts'
import { buildRoot, outcomeOf, runIn } from './container-by-hand.ts'
import { readDockerfile } from './read-dockerfile.ts'

const port = 18_082
const key = randomUUID()
const image = readDockerfile(readFileSync('Dockerfile', 'utf8'))

assert.equal(process.getuid?.(), 0, 'to become the user of the image it has to run as root')
const root = mkdtempSync(join(tmpdir(), 'image-'))
try {
  buildRoot(root, image)
  await refusesToBeADemo()
  await writesNowhereElse()
  await servesAndStops()
  process.stdout.write('The image by hand: all is well\n')
} finally {
  rmSync(root, { recursive: true })
}

function run(command: string[], env?: Record<string, string>): ChildProcess {
  return runIn(root, image, command, env)
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
  const library = makeLibrary({ tracks: 237 })
  // A rotated token has to be stored before it is used.
  const spotify = await startSimulator({ rotate: true, library })
  putSecret('client-id', spotify.clientId)
  putSecret('client-secret', spotify.clientSecret)
  putSecret('api-keys', key)
  putSecret('database-encryption-key', randomBytes(32).toString('base64'))
  const env = {
    ...manifestEnv(),
    SPOTIFY_API_URL: spotify.apiUrl,
    SPOTIFY_ACCOUNTS_URL: spotify.accountsUrl,
    PORT: String(port),
  }
  const child = run(image.command, env)
  const ended = outcomeOf(child)
  try {
    await ready(ended)
    const invited = await outcomeOf(run(['node', 'scripts/authorize.ts', 'default'], env))
    const [link] = /http:\S+/.exec(invited.out + invited.error) ?? []
    assert.ok(link, invited.error)
    const page = await new Browser().consent(link, spotify)
    assert.equal(page.status, 200, page.text)
    const { records, has_more } = await ask('/tables/tracks/read')
    assert.equal(records.length, library.tracks.length)
    assert.equal(has_more, false)
    assert.equal((await outcomeOf(run(image.healthCheck, env))).code, 0)
  } finally {
    child.kill('SIGTERM')
  }
  const { code, out, error } = await ended
  await spotify.close()
  assert.equal(code, 0, `${error}${out}`)
  assert.match(out, /"msg":"stopped"/)
  const { mode, uid } = statSync(join(root, 'data/connector.db'))
  assert.deepEqual([mode & 0o777, uid], [0o600, image.user])
  assert.equal((await outcomeOf(run(image.healthCheck, env))).code, 1)
  const cleared = await outcomeOf(run(['node', 'scripts/clear-mark.ts', 'default'], env))
  assert.match(cleared.error, /has no mark/)
}

/** What the Kubernetes manifest says beside the image. */
function manifestEnv(): Record<string, string> {
  const documents = parseAllDocuments(readFileSync('deploy/kubernetes.yaml', 'utf8'))
  const deployment = documents.map((one) => one.toJS()).find(({ kind }) => kind === 'Deployment')
  const [container] = deployment.spec.template.spec.containers
  const pairs: { name: string; value: string }[] = container.env
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]))
}

/** As Kubernetes puts it there, of root and the pod's group. */
function putSecret(name: string, secret: string): void {
  const path = join(root, 'run/secrets', name)
  writeFileSync(path, `${secret}\n`)
  chownSync(path, 0, image.user)
  chmodSync(path, 0o440)
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

async function ask(path: string): Promise<{ records: unknown[]; has_more: boolean }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return JSON.parse(text)
}
