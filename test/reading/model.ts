import { hash } from 'node:crypto'
import type { Page } from '../../src/reading/walk.ts'

/** An item of the model's list. It lasts as long as nobody removes it or saves it again. */
export type ModelItem = { key: string; identity: string; lasts: boolean }

/** What the owner does between two requests. */
export type Change =
  | { kind: 'insert' | 'remove' | 'save again'; at: number }
  | { kind: 'drag'; at: number; to: number }
  /** The list is computed anew: another order, and a new item at its head. */
  | { kind: 'recompute'; seed: number }

/** Which changes happen before the request of that number, from 0, in their order. */
export type Script = readonly (readonly [request: number, change: Change])[]

/** What a read came to. */
export type Verdict = {
  /** Keys of lasting items that were not given, and of those that were given more than once. */
  lost: string[]
  doubled: string[]
  requests: number
  /** The code of the failure that ended it. */
  failure: string | null
  /** Nothing is in the list at the end; or was, at some look. */
  isEmpty: boolean
  wasEmpty: boolean
  /** The longest run of items without a key that there was at any look. */
  keylessRun: number
}

/** A list and its owner, who changes it between any two requests as a script says. */
export class Model {
  readonly #first: ModelItem[]
  readonly #script: Script
  readonly #hasKeyless: boolean
  #items: (ModelItem | null)[]
  #inserted = 0
  #next = 0
  #wasEmpty = false
  #keylessRun = 0
  requests = 0

  /** `keyless`: the places of items without a key, as Spotify's nulls. */
  constructor(size: number, script: Script, keyless: readonly number[] = []) {
    this.#items = Array.from({ length: size }, (_, index) =>
      keyless.includes(index) ? null : { key: `k${index}`, identity: `k${index}`, lasts: true },
    )
    this.#first = this.#items.filter((item) => item !== null)
    this.#script = script
    this.#hasKeyless = keyless.length > 0
  }

  /** One look at the list, as a server gives it, when the changes before it have happened. */
  look(position: number, size: number): Page {
    for (; this.#script[this.#next]?.[0] === this.requests; this.#next++) {
      this.#apply((this.#script[this.#next] as Script[number])[1])
    }
    this.requests += 1
    const end = position + size
    const total = this.#items.length
    this.#wasEmpty ||= total === 0
    if (this.#hasKeyless) this.#keylessRun = Math.max(this.#keylessRun, longestRun(this.#items))
    return { items: this.#items.slice(position, end), total, hasNext: end < total }
  }

  /** What came of a read that has given these items, in this order. */
  verdict(given: readonly ModelItem[], failure: string | null): Verdict {
    const lasting = this.#first.filter(({ lasts }) => lasts)
    const times = (item: ModelItem) => given.filter(({ key }) => key === item.key).length
    return {
      lost: failure ? [] : lasting.filter((item) => times(item) === 0).map(({ key }) => key),
      doubled: lasting.filter((item) => times(item) > 1).map(({ key }) => key),
      requests: this.requests,
      failure,
      isEmpty: this.#items.length === 0,
      wasEmpty: this.#wasEmpty,
      keylessRun: this.#keylessRun,
    }
  }

  #apply(change: Change): void {
    if (change.kind === 'recompute') {
      this.#recompute(change.seed)
      return
    }
    const { at } = change
    if (change.kind === 'insert') {
      const name = `n${this.#inserted++}`
      if (at <= this.#items.length)
        this.#items.splice(at, 0, { key: name, identity: name, lasts: false })
      return
    }
    if (at >= this.#items.length) return
    const [item = null] = this.#items.splice(at, 1)
    if (change.kind === 'drag') this.#items.splice(change.to, 0, item)
    else if (item) item.lasts = false
    if (change.kind === 'save again' && item) {
      this.#items.unshift({ key: item.key, identity: `${item.identity}+`, lasts: false })
    }
  }

  #recompute(seed: number): void {
    const rank = (index: number) => hash('sha256', `${seed} ${index}`)
    const shuffled = this.#items
      .map((item, index) => ({ item, rank: rank(index) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .map(({ item }) => item)
    const name = `n${this.#inserted++}`
    this.#items = [{ key: name, identity: name, lasts: false }, ...shuffled]
  }
}

function longestRun(items: readonly (ModelItem | null)[]): number {
  let longest = 0
  let run = 0
  for (const item of items) {
    run = item === null ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}

/** Every change that can be made to a list of that size; with drags, its order changes, too. */
export function everyChange(size: number, { drags = false } = {}): Change[] {
  const places = Array.from({ length: size }, (_, at) => at)
  const changes: Change[] = [
    ...[...places, size].map((at) => ({ kind: 'insert' as const, at })),
    ...places.map((at) => ({ kind: 'remove' as const, at })),
    ...places.map((at) => ({ kind: 'save again' as const, at })),
  ]
  if (!drags) return changes
  const moves = places.flatMap((at) => places.map((to) => ({ kind: 'drag' as const, at, to })))
  return [...changes, ...moves.filter(({ at, to }) => at !== to)]
}

/** A verdict for people: of long lists of keys, the first. */
export function shorten({ lost, doubled, ...verdict }: Verdict): string {
  return JSON.stringify({ lost: lost.slice(0, 3), doubled: doubled.slice(0, 3), ...verdict })
}

/** What an item of the model is known by. */
export function identify(item: unknown): { key: string; identity: string } | null {
  return item as ModelItem | null
}
