const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const idBytes = Buffer.alloc(22)

/**
 * Numbers drawn one after another, the same ones from the same start: those that belong to the
 * `n`th thing of a kind. Every thing has its own, so one can be made without all before it.
 * It is mulberry32, with the start spread by MurmurHash3's finaliser.
 */
export class Random {
  #state: number

  constructor(kind: string, n: number) {
    let state = n | 0
    for (let at = 0; at < kind.length; at++) {
      state = Math.imul(state ^ kind.charCodeAt(at), 0x85ebca6b)
    }
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
    this.#state = state ^ (state >>> 16)
  }

  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    return this.#draw() % limit
  }

  /** True `share` of the times, 0 to 1. */
  chance(share: number): boolean {
    return this.#draw() < share * 2 ** 32
  }

  /** One of the choices, of which there is at least one. */
  pick<const T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  /** 22 characters of base62, as Spotify's ids are. */
  id(): string {
    let drawn = 0
    for (let at = 0; at < 22; at++) {
      // One draw is worth five characters: 62 ** 5 < 2 ** 32.
      drawn = at % 5 === 0 ? this.#draw() : Math.floor(drawn / 62)
      idBytes[at] = base62.charCodeAt(drawn % 62)
    }
    return idBytes.toString('latin1')
  }

  /** The numbers 0 to `count - 1` in some order. */
  shuffled(count: number): number[] {
    const numbers = Array.from({ length: count }, (_, at) => at)
    for (let last = count - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const moved = numbers[last] as number
      numbers[last] = numbers[other] as number
      numbers[other] = moved
    }
    return numbers
  }

  #draw() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
