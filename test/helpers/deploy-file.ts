import { readFileSync } from 'node:fs'
import { knownVariables } from '../../src/config.ts'

/** The default of SHUTDOWN_GRACE_MS, in seconds. */
export const shutdownGraceS = 25

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
