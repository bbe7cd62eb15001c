import { readFileSync } from 'node:fs'
import { type Config, knownVariables, readConfig } from '../../src/config.ts'

/** The default of SHUTDOWN_GRACE_MS, in seconds. */
export const shutdownGraceS = readConfig({}).shutdownGraceMs / 1000

/** How long the process may take to end: the grace, then last words to readers, storing, closing. */
export const stopS = shutdownGraceS + 10

/** The text of a file of the repository. */
export function fileText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

/** Why the service does not take a variable of this name; null when it does. */
export function objectionTo(name: string): string | null {
  if (knownVariables.has(name)) return null
  const secret = /^(.+)_FILE$/.exec(name)?.[1] ?? ''
  if (knownVariables.get(secret)?.isSecret) return null
  return `${name} is no variable of the service, nor may a file give it`
}

/** What the service makes of an environment whose secrets are in files of these names, anywhere. */
export function configOf(env: Record<string, string>): Config {
  const secrets: Record<string, string> = {
    'api-keys': 'a-key-of-more-than-sixteen-characters\n',
    'database-encryption-key': `${Buffer.alloc(32, 7).toString('base64')}\n`,
    'client-id': 'the-id\n',
    'client-secret': 'hush-secret\n',
  }
  return readConfig(env, (path) => {
    const secret = secrets[path.slice(path.lastIndexOf('/') + 1)]
    if (secret === undefined) throw new Error(`no such file: ${path}`)
    return secret
  })
}
