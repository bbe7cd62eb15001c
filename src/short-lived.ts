import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'

type Options = {
  lifetimeMs: number
  /** How many are known: the newest. */
  most: number
  clock: Pick<Clock, 'now'>
}

/** A word that nobody guesses: 256 bits, in 43 characters that a URL takes as they are. */
export function unguessable(): string {
  return randomBytes(32).toString('base64url')
}

/** Values that are good for a while, each behind a word that nobody guesses. In memory alone. */
export class ShortLived<Value> {
  readonly #options: Options
  readonly #byWord = new Map<string, { value: Value; sinceMs: number }>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Takes a value, and gives its word. */
  add(value: Value): string {
    const { most, clock } = this.#options
    for (const oldest of this.#byWord.keys()) {
      if (this.#byWord.size < most) break
      this.#byWord.delete(oldest)
    }
    const word = unguessable()
    this.#byWord.set(word, { value, sinceMs: clock.now() })
    return word
  }

  /** The value behind a word, and whether it is too late for it; null: no such word is known. */
  find(word: string): { value: Value; isLate: boolean } | null {
    const found = this.#byWord.get(word)
    if (!found) return null
    const ageMs = this.#options.clock.now() - found.sinceMs
    // A clock set back must not make it longer.
    return { value: found.value, isLate: ageMs < 0 || ageMs > this.#options.lifetimeMs }
  }

  /** Forgets a word. */
  delete(word: string): void {
    this.#byWord.delete(word)
  }
}
