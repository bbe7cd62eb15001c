import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Callback } from '../src/spotify/consents.ts'

// As long as a consent may take.
const patienceMs = 10 * 60_000

/** Nobody waits for the consent any more; the message says why. */
export class Interrupted extends Error {}

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })

/**
 * The callback that a person pastes: an address, whole. What is none of this consent's is told, and
 * waited for anew; nothing of it is shown. Where a browser may bring it, too, the input's end is no
 * reason to give up. Throws Interrupted, until `signal` lets go of the terminal.
 */
export function readPasted(
  state: string,
  say: (text: string) => void,
  mayEnd: boolean,
  signal: AbortSignal,
): Promise<Callback> {
  const isTerminal = process.stdin.isTTY === true
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: isTerminal })
  return new Promise((resolve, reject) => {
    const giveUp = (why: string) => reject(new Interrupted(why))
    const interrupt = () => giveUp('It was interrupted.')
    const late = setTimeout(() => giveUp('The 10 minutes are over.'), patienceMs)
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    lines.on('SIGINT', interrupt)
    lines.on('close', () => {
      if (!mayEnd) giveUp('No address was pasted.')
    })
    lines.on('line', (line) => {
      if (line.trim() === '') return
      const callback = callbackIn(line.trim())
      if (callback?.state === state) resolve(callback)
      else say(callback === null ? noAddress : anotherConsent)
    })
    signal.addEventListener('abort', () => {
      clearTimeout(late)
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      lines.close()
      process.stdin.destroy()
    })
  })
}

const noAddress =
  'That is not the address that the browser was sent to: it has "/callback?" in it, and a state. Paste it whole.'
const anotherConsent =
  'That address is of another consent. Open the link above, agree, and paste the address that comes then.'

/** What an address brings back; null where it is none. */
export function callbackIn(address: string): Callback | null {
  const query = URL.parse(address)?.searchParams
  if (!query?.has('state')) return null
  const one = (name: string) => query.get(name) ?? undefined
  return { state: one('state'), code: one('code'), error: one('error') }
}
