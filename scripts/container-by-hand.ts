import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Image } from './read-dockerfile.ts'

// Of the machine, for Node and for the commands that make the process what it is.
const lent = ['bin', 'dev', 'etc', 'lib', 'lib64', 'proc', 'usr']

/** How a command has ended, and what it has written. */
export type Outcome = { code: number | null; out: string; error: string }

/** Puts into an empty folder what the image would hold, and Node where PATH finds it. */
export function buildRoot(root: string, image: Image): void {
  chmodSync(root, 0o755)
  for (const folder of [...lent, 'app', 'app/scripts', 'data', 'run', 'run/secrets', 'image/bin']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  cpSync(process.execPath, join(root, 'image/bin/node'))
  for (const path of globSync([...image.copied, 'package-lock.json'])) {
    cpSync(path, join(root, 'app', path), { recursive: true })
  }
  const install = ['ci', '--omit=dev', '--ignore-scripts', '--loglevel=error']
  execFileSync('npm', install, { cwd: join(root, 'app'), stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(join(root, 'app/package-lock.json'))
  chownSync(join(root, 'data'), image.user, image.user)
  chmodSync(join(root, 'data'), 0o700)
}

/**
 * Starts a command as a container of the image would: in that root, read-only but for /data, with the
 * image's environment and then `env`, as its user and with no right to become another. What it
 * mounts is gone with it.
 */
export function runIn(
  root: string,
  image: Image,
  [program, ...args]: string[],
  env: Record<string, string> = {},
): ChildProcess {
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

/** What becomes of a command. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const { stdout, stderr } = child as {
    stdout: NodeJS.ReadableStream
    stderr: NodeJS.ReadableStream
  }
  const [out, error, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code, out, error }
}
