import type { ConnectorError } from '../errors.ts'
import { hashOf } from './digest.ts'
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

const mostStarts = 3
const mostEmptyLooks = 2
const lookText = /^([1-9]|[1-4]\d|50)\.[\w-]{12}$/
/** How many keys that came twice an offset carries. */
const carriedRepeats = 100
const repeatText = /^[\w-]{12}$/

/**
 * Where a read of a list that is recomputed as a whole goes on: the size and digest of its first
 * page when it was first looked at, and the hashes of the keys that came twice so far.
 */
export type LookedAtPlace = { place: Place; look: string; repeats: readonly string[] }

/** How such a list is to be read. `mayStartOver`: nobody has seen a row before the read has ended. */
export type LookedAtRead = ListRead<LookedAtPlace | null> & { mayStartOver: boolean }

/** Reads an offset's place; null: the list's start. Throws `invalid-offset`. */
export function readLookedAtPlace(offset: Offset): LookedAtPlace | null {
  requireFields(offset, [...placeFields, 'look', 'repeats'])
  if (Object.keys(offset).length === 0) return null
  const place = readPlace(offset)
  const { look, repeats } = offset
  if (place === null) throw invalidOffset('it says no place to go on from')
  if (typeof look !== 'string' || !lookText.test(look))
    throw invalidOffset('its look is not one of ours')
  const isList = Array.isArray(repeats) && repeats.length <= carriedRepeats
  if (!isList || !repeats.every((hash) => typeof hash === 'string' && repeatText.test(hash))) {
    throw invalidOffset('its repeats is not one of ours')
  }
  return { place, look, repeats }
}

/** Reads a list that is recomputed as a whole, and looks again whether it was. */
export function readLookedAt(getPage: GetPage, read: LookedAtRead): Reading {
  return readPages(new SecondLook(walkOptions(read), read.place, read.mayStartOver), getPage, read)
}

/**
 * Walks over a list, and looks at its first page again behind the last. If that is another one by
 * then, or a key came twice that had not before, the read starts over, 3 times at most: what was
 * read is held back until then. A repeat that is there again is Spotify's own, and its first place
 * wins. Where rows are out already (in a stream, or in earlier calls), a change is
 * `snapshot-changed`.
 */
export class SecondLook implements ListPages {
  readonly #options: Omit<WalkOptions, 'from'>
  readonly #isOneCall: boolean
  readonly #holdsBack: boolean
  #phase: 'walk' | 'look' | 'walk again' = 'walk'
  #walk: Walk
  #look: string | null
  /** The hashes of the keys that came twice: in this walk, and in the one before. */
  #repeats: Set<string>
  #repeatsBefore = new Set<string>()
  #held: Step[] = []
  #pages = 0
  #starts = 1
  #emptyLooks = 0
  end: 'whole' | 'more' | null = null

  constructor(
    options: Omit<WalkOptions, 'from'>,
    from: LookedAtPlace | null,
    mayStartOver: boolean,
  ) {
    this.#options = options
    this.#isOneCall = from === null
    this.#holdsBack = mayStartOver && from === null
    this.#walk = new Walk({ ...options, from: from?.place ?? null })
    this.#look = from?.look ?? null
    this.#repeats = new Set(from?.repeats)
  }

  place(): Offset {
    const repeats = [...this.#repeats].slice(0, carriedRepeats)
    return { ...writePlace(this.#walk.place), look: this.#look, repeats }
  }

  heldBack(): Step | null {
    return this.#release()
  }

  requests(most: number): PageRequest[] {
    if (this.end !== null) return []
    if (this.#phase !== 'look') return this.#walk.requests(most)
    return [{ position: 0, size: Number.parseInt(this.#look ?? '', 10) }]
  }

  take(page: Page): Step | null {
    if (this.#phase === 'look') return this.#takeLook(page)
    return this.#phase === 'walk' ? this.#takePage(page) : this.#takeAgain(page)
  }

  #takePage(page: Page): Step | null {
    const { position, size } = this.#walk.requests(1)[0] as PageRequest
    if (position === 0 && page.items.length > 0) this.#look ??= this.#lookOf(page, size)
    const step = this.#walk.take(page)
    if (step) {
      this.#pages += 1
      this.#note(step)
      if (this.#holdsBack) this.#held.push(step)
    }
    const isOneLook = this.#look === null || (this.#isOneCall && this.#pages === 1)
    if (this.#walk.end === 'more' || (this.#walk.end === 'whole' && isOneLook))
      this.end = this.#walk.end
    else if (this.#walk.end === 'whole') this.#phase = 'look'
    if (!this.#holdsBack) return step
    return this.end === null ? null : this.#release()
  }

  #takeLook(page: Page): Step | null {
    // Spotify answers with an empty page now and then.
    if (page.items.length === 0 && ++this.#emptyLooks < mostEmptyLooks) return null
    const isSame = this.#lookOf(page, Number.parseInt(this.#look ?? '', 10)) === this.#look
    if (isSame && this.#repeats.isSubsetOf(this.#repeatsBefore)) {
      this.end = 'whole'
      return this.#release()
    }
    if (isSame && !this.#holdsBack) {
      // What is out can not be read anew, but looked at: are its repeats there again?
      this.#phase = 'walk again'
      this.#restart(Number.POSITIVE_INFINITY)
      return null
    }
    if (!this.#holdsBack || this.#starts === mostStarts) throw changed()
    this.#starts += 1
    this.#phase = 'walk'
    this.#look = null
    this.#held = []
    this.#restart(this.#options.maxPages)
    return null
  }

  #takeAgain(page: Page): null {
    const step = this.#walk.take(page)
    if (step) this.#note(step)
    if (this.#walk.end === null) return null
    // An earlier call may not have known that a key came before: here may be more of them.
    if (!this.#repeatsBefore.isSubsetOf(this.#repeats)) throw changed()
    this.end = 'whole'
    return null
  }

  #note({ repeated }: Step): void {
    for (const key of repeated) this.#repeats.add(hashOf(key))
  }

  #restart(maxPages: number): void {
    this.#walk = new Walk({ ...this.#options, maxPages, from: null })
    this.#repeatsBefore = this.#repeats
    this.#repeats = new Set()
    this.#pages = 0
    this.#emptyLooks = 0
  }

  #release(): Step | null {
    const steps = this.#held
    this.#held = []
    if (steps.length === 0) return null
    return {
      given: steps.flatMap(({ given }) => given),
      skipped: steps.reduce((sum, { skipped }) => sum + skipped, 0),
      repeated: [],
      isExact: true,
    }
  }

  /** The size and the digest of a page: what it holds, in its order. */
  #lookOf({ items }: Page, size: number): string {
    const keys = items.map((item) => this.#options.identify(item)?.key ?? null)
    return `${size}.${hashOf(JSON.stringify(keys))}`
  }
}

function changed(): ConnectorError {
  return snapshotChanged(
    'Spotify has computed the list anew while it was read, so that rows may be missing from what was read or stand in it twice.',
  )
}
