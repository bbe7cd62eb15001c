import type { Rows } from '../../src/reading/reading.ts'
import type { Identified, Page, PageRequest } from '../../src/reading/walk.ts'
import type { GetPage } from '../../src/reading/walk-pages.ts'

/** What becomes of an answer; `nth` counts the requests from 1. */
export type Spoil = (page: Page, nth: number, position: number) => Partial<Page>

type Answers = {
  /** The most items of a page, whatever is asked for. */
  most?: number
  /** What the owner does before the request of that number, from 1. */
  before?: (nth: number, list: MemoryList) => void
  spoil?: Spoil
}

/** A list that its owner may change at any time; its items are texts, null is one without a key. */
export class MemoryList {
  items: (string | null)[]
  /** Every request, as `position+size`. */
  readonly asked: string[] = []
  readonly #answers: Answers

  constructor(items: readonly (string | null)[], answers: Answers = {}) {
    this.items = [...items]
    this.#answers = answers
  }

  /** One look at the list. */
  look({ position, size }: PageRequest): Page {
    const { most = 50, before, spoil } = this.#answers
    this.asked.push(`${position}+${size}`)
    const nth = this.asked.length
    before?.(nth, this)
    const end = position + Math.min(size, most)
    const page = {
      items: this.items.slice(position, end),
      total: this.items.length,
      hasNext: end < this.items.length,
    }
    return { ...page, ...spoil?.(page, nth, position) }
  }

  readonly getPage: GetPage = async (position, size) => this.look({ position, size })
}

/** What an item is known by: `a` saved again is `a@2`. */
export function identify(item: unknown): Identified | null {
  if (typeof item !== 'string') return null
  return { key: item.replace(/@.*/, ''), identity: item }
}

/** The rows of such items. */
export const rows: Rows = {
  identify,
  toRecord: (item, place) => ({ key: identify(item)?.key, place }),
}

/** Spotify's empty page, which it gives in place of any other now and then. */
export const emptyPage = { items: [], total: 0, hasNext: false }
