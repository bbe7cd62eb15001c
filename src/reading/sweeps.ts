import type { ConnectorError } from '../errors.ts'
import { extend } from './digest.ts'
import { type ListPages, type ListRead, readPages, walkOptions } from './list.ts'
import { invalidOffset, type Offset, requireFields } from './offset.ts'
import { placeFields, readPlace, writePlace } from './place.ts'
import type { Reading } from './reading.ts'
import { snapshotChanged } from './snapshot-changed.ts'
import {
  type Page,
  type PageRequest,
  type Place,
  type Step,
  Walk,
  type WalkOptions,
} from './walk.ts'
import type { GetPage } from './walk-pages.ts'

const mostSweeps = 4
const digestText = /^([\w-]{12})?$/

/**
 * Where a read of a list that is dragged about goes on: at a place (null: it has been read to its
 * end and is still to be verified), with the digest of the keys that were given so far.
 */
export type SweptPlace = { place: Place | null; digest: string }

/** Reads an offset's place; null: the list's start. Throws `invalid-offset`. */
export function readSweptPlace(offset: Offset, furthestPosition?: number): SweptPlace | null {
  requireFields(offset, [...placeFields, 'digest'])
  if (Object.keys(offset).length === 0) return null
  const { digest } = offset
  if (typeof digest !== 'string' || !digestText.test(digest)) {
    throw invalidOffset('its digest is not one of ours')
  }
  return { place: readPlace(offset, furthestPosition), digest }
}

/** Reads a list that its owner can drag about behind the reader's back, and verifies it. */
export function readSwept(getPage: GetPage, read: ListRead<SweptPlace | null>): Reading {
  return readPages(new Sweeps(walkOptions(read), read.place), getPage, read)
}

/**
 * Sweeps over a list until two successive ones give the same keys in the same order; what takes one
 * page needs one. Rows that only a later sweep shows are given at its end.
 *
 * That alone is no proof: a row that is dragged away in front of both sweeps is missing in both. So
 * the later one has to be clean: every page began with its seam, the total stayed, and as many items
 * were seen as it says. Where a list is never clean (Spotify repeats an item, or counts what it
 * does not give), three sweeps have to be the same to the page.
 *
 * Over several calls the offset carries the digest of the keys that were given, and the sweep of the
 * last call has to give the same. Throws `snapshot-changed` where that can not be had in 4 sweeps.
 */
export class Sweeps implements ListPages {
  readonly #options: Omit<WalkOptions, 'from'>
  readonly #isOneCall: boolean
  readonly #given = new Set<string>()
  /** Of the keys in the order of the last whole sweep; while the first is under way, of those so far. */
  #digest: string
  #sweep: Sweep
  #sweeps = 1
  #repeats = 0
  #traceBefore: string | null = null
  end: 'whole' | 'more' | null = null

  constructor(options: Omit<WalkOptions, 'from'>, from: SweptPlace | null) {
    this.#options = options
    this.#isOneCall = from === null
    this.#digest = from?.digest ?? ''
    const isRead = from !== null && from.place === null
    this.#sweep = new Sweep(
      isRead ? this.#verifying() : { ...options, from: from?.place ?? null },
      isRead ? '' : this.#digest,
    )
    if (isRead) this.#sweeps = 2
  }

  place(): Offset {
    const isFirst = this.#sweeps === 1
    return { ...(isFirst && writePlace(this.#sweep.walk.place)), digest: this.#digest }
  }

  requests(most: number): PageRequest[] {
    return this.end === null ? this.#sweep.walk.requests(most) : []
  }

  take(page: Page): Step | null {
    const step = this.#sweep.take(page)
    return this.#sweeps === 1 ? this.#takeFirst(step) : this.#takeLater()
  }

  #takeFirst(step: Step | null): Step | null {
    const { walk, digest, trace, pages } = this.#sweep
    for (const { key } of step?.given ?? []) this.#given.add(key)
    this.#digest = digest
    if (walk.end === 'more') this.end = 'more'
    // One look at a whole list needs no second; an empty one has been looked at twice.
    else if (walk.end === 'whole' && this.#isOneCall && pages <= 1) this.end = 'whole'
    else if (walk.end === 'whole') this.#next(this.#isOneCall ? trace : null)
    return step
  }

  #takeLater(): Step | null {
    const { walk, digest, trace, isClean, given } = this.#sweep
    if (walk.end === null) return null
    const isSame = digest === this.#digest
    // What earlier calls have given is known by its digest alone.
    if (!isSame && !this.#isOneCall) throw changed()
    this.#repeats = trace === this.#traceBefore ? this.#repeats + 1 : 0
    this.#digest = digest
    const unseen = this.#isOneCall ? given.filter(({ key }) => !this.#given.has(key)) : []
    for (const { key } of unseen) this.#given.add(key)
    if (isSame && (isClean || this.#repeats === 2)) this.end = 'whole'
    else this.#next(trace)
    return unseen.length > 0 ? { given: unseen, skipped: 0, repeated: [], isExact: true } : null
  }

  #next(trace: string | null): void {
    if (this.#sweeps === mostSweeps) throw changed()
    this.#sweeps += 1
    this.#traceBefore = trace
    this.#sweep = new Sweep(this.#verifying(), '')
  }

  #verifying(): WalkOptions {
    return { ...this.#options, maxPages: Number.POSITIVE_INFINITY, from: null }
  }
}

/** One pass over the list, and what can be said of it afterwards. */
class Sweep {
  readonly walk: Walk
  readonly #identify: WalkOptions['identify']
  /** Every item that it gave. */
  readonly given: Step['given'] = []
  pages = 0
  digest: string
  /** Of every page as it was looked at: where, in how long a list, and which items. */
  trace = ''
  #isQuiet = true
  #skipped = 0
  #total: number | null = null

  constructor(options: WalkOptions, digest: string) {
    this.walk = new Walk(options)
    this.#identify = options.identify
    this.digest = digest
  }

  /** Nothing has moved, and nothing is missing, as far as a sweep can tell of itself. */
  get isClean(): boolean {
    return this.#isQuiet && this.given.length + this.#skipped >= (this.#total ?? 0)
  }

  take(page: Page): Step | null {
    const position = this.walk.requests(1)[0]?.position
    const keys = page.items.map((item) => this.#identify(item)?.key ?? null)
    this.trace = extend(this.trace, JSON.stringify([position, page.total, page.hasNext, keys]))
    const step = this.walk.take(page)
    if (!step?.isExact || page.total !== (this.#total ?? page.total)) this.#isQuiet = false
    this.#total = page.total
    if (!step) return null
    this.pages += 1
    this.#skipped += step.skipped
    for (const one of step.given) {
      this.digest = extend(this.digest, one.key)
      this.given.push(one)
    }
    return step
  }
}

function changed(): ConnectorError {
  return snapshotChanged(
    'The list was rearranged while it was read, again and again or between two calls, so that rows may be missing from what was read.',
  )
}
