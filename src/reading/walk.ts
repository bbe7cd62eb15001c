import { ConnectorError } from '../errors.ts'
import { hashOf } from './digest.ts'
import { snapshotChanged } from './snapshot-changed.ts'

// Why a row that is in the list for all of the read is given exactly once, however the list moves
// and in whatever order its pages are looked at, as long as rows keep their order:
//
// 1. A page is one look at the list: from its first item to its last it has no hole. So a row that
//    is there for all of the read (a "lasting" row) and is ordered between two items of a page is
//    in that page.
// 2. An item is *known* when it has been seen and every lasting row ordered before it has been
//    given. Before the list's start there is nothing: at position 0 a page may always be read on.
// 3. Take a page that holds a known item x, the *seam*, whenever it was looked at. A lasting row
//    ordered before x has been given (2). One ordered behind x is, at the moment of that look, in
//    the page or behind its end (1). So when the rows of the page from x on are given, every
//    lasting row ordered before the page's last item has been given: the last item is known now,
//    and the read goes on from it. It does not matter which known item was found, nor whether the
//    page was looked at before or after others: x and the row were in the list together at that
//    look, and rows keep their order.
// 4. A page without a known item proves nothing and gives nothing: the seam is searched for around
//    it. When nothing known is in the list any more, no lasting row has been given yet, and the
//    read begins again at position 0 (2). Only where what was known is forgotten, it fails.
// 5. No key is given twice, since those that were given are known. Where the read had to go on from
//    further back, known items lie *ahead* of it; the offset carries them beside the last few
//    before them, so that the next call knows them, too.
// 6. The read ends at a page that begins with the last known item and has nothing behind its last:
//    `next` is null, and `total` is reached.
//
// What an item is known by must not come back at another place: a track that is saved again is
// another item, so its identity holds `added_at`. Where rows are dragged about (playlists, top
// items) 3 does not hold; sweeps.ts and second-look.ts check what the walk gave.

const patience = 4
const mostProbes = 20
/** How many known items an offset carries: before the place, and ahead of it. */
const carriedBefore = 5
const carriedAhead = 100
/** How many known items a walk remembers at least: a list has no end. */
const remembered = 10_000

/** One look at a list; `total` is what the server says. */
export type Page = { items: readonly unknown[]; total: number; hasNext: boolean }

/**
 * Which look is wanted: at most `size` items from `position` (from 0) on. As long as it is wanted it
 * is the same object; another one is another look, though it may be at the same place.
 */
export type PageRequest = { position: number; size: number }

/** What an item is known by; its key is the row's, its identity changes when it is saved again. */
export type Identified = { key: string; identity: string }

/** A known item, as an offset carries it: by the hash of its identity, and whether it was given. */
export type Carried = { hash: string; isGiven: boolean }

/**
 * Where a walk goes on: where the seam stood, in how long a list, the last known items up to it
 * (itself last), and those that lie ahead.
 */
export type Place = {
  position: number
  total: number
  seam: readonly Carried[]
  ahead: readonly Carried[]
}

/**
 * What a page gave: items with their place in the list, from 0; how many had no key; the keys that
 * came again though nothing had moved.
 */
export type Step = {
  given: { item: unknown; key: string; place: number }[]
  skipped: number
  repeated: string[]
  /** The page began with the seam: nothing before it has moved since. */
  isExact: boolean
}

/** How a list is walked. */
export type WalkOptions = {
  /** Null for an item without a key: it is skipped, and never a seam. */
  identify(item: unknown): Identified | null
  /** The most rows a page may give, and the most pages that may give some. */
  limit: number
  maxPages: number
  /** The most items that the server gives for one request. */
  largest: number
  /** Null: from the list's start. */
  from: Place | null
  /** Called where the end had to be taken from what does not fit together. */
  onOddEnd?(): void
  /** Called where a page did not begin with its seam, and that was found again: the list has moved. */
  onSeamFoundAgain?(): void
}

/** A known item. What an earlier call has known is met by its hash alone at first. */
type Known = { id: Identified | null; hash: string | null; isGiven: boolean }

/**
 * Walks a list that moves, page after page: says which pages are wanted, and takes them one by one.
 * It asks nobody itself. Throws `upstream-error` when the list does not go on, `snapshot-changed`
 * when nothing that is known is in it any more.
 */
export class Walk {
  readonly #options: WalkOptions
  readonly #known = new Map<string, Known>()
  readonly #given = new Set<string>()
  /** What earlier calls have known and this one has not met. */
  readonly #carried = new Map<string, Known>()
  /** Known items in the list's order: up to the seam, which is the last, and ahead of it. */
  #path: Known[]
  #ahead: Known[]
  #seam: { position: number; total: number } | null
  #size: number
  #need: PageRequest | null = null
  #planned: PageRequest[] = []
  #search: { queue: number[]; sawItems: boolean } | null = null
  #hasForgotten: boolean
  #pages = 0
  #stalls = 0
  #empties = 0
  #alone = 0
  #restarts = 0
  #end: 'whole' | 'more' | null = null

  constructor(options: WalkOptions) {
    const { limit, largest, from } = options
    this.#options = options
    // One more than the limit: the last item is held back, to be the seam of the next page.
    this.#size = Math.min(limit + 1, largest)
    this.#seam = from && { position: from.position, total: from.total }
    this.#hasForgotten = from !== null
    const carry = ({ hash, isGiven }: Carried): Known => {
      const known = { id: null, hash, isGiven }
      this.#carried.set(hash, known)
      return known
    }
    this.#path = from?.seam.map(carry) ?? []
    this.#ahead = from?.ahead.map(carry) ?? []
  }

  /** How it ended: `whole` at the list's end, `more` after the last page that was allowed. */
  get end(): 'whole' | 'more' | null {
    return this.#end
  }

  /** Where another call goes on. */
  get place(): Place {
    const carry = ({ id, hash, isGiven }: Known): Carried => ({
      hash: hash ?? hashOf((id as Identified).identity),
      isGiven: id ? this.#given.has(id.key) : isGiven,
    })
    return {
      position: 0,
      total: 0,
      ...this.#seam,
      seam: this.#path.slice(-carriedBefore).map(carry),
      ahead: this.#ahead.slice(0, carriedAhead).map(carry),
    }
  }

  /** The pages to have in flight, the one that is taken next first; none when it has ended. */
  requests(most: number): PageRequest[] {
    if (this.#end !== null) return []
    if (this.#seam === null) {
      this.#need ??= { position: 0, size: this.#size }
      return [this.#need]
    }
    const needed = this.#need ? [this.#need] : []
    if (this.#search === null) this.#plan(most - needed.length)
    return [...needed, ...this.#planned].slice(0, most)
  }

  /** Takes the page of the first request. Null: it gave nothing, and another one is wanted. */
  take(page: Page): Step | null {
    const request = this.requests(1)[0] as PageRequest
    if (this.#need) this.#need = null
    else this.#planned.shift()
    this.#adaptSize(request, page)
    const ids = page.items.map(this.#options.identify)
    const known = ids.map((id) => id && this.#find(id))
    const first = this.#seam === null ? 0 : known.findIndex((item) => item)
    if (page.items.length === 0 || first === -1) return this.#lost(request, page)
    this.#empties = 0
    const wasLost = this.#search !== null
    this.#search = null
    const step = this.#absorb(request, page, ids, known, first)
    if (wasLost || !step.isExact) this.#options.onSeamFoundAgain?.()
    return step
  }

  /** Gives the rows of a page that holds a known item, from the first one on. */
  #absorb(
    request: PageRequest,
    page: Page,
    ids: readonly (Identified | null)[],
    known: readonly (Known | null)[],
    first: number,
  ): Step {
    const { limit, maxPages } = this.#options
    const [seamBefore, lastBefore] = [this.#seam, this.#path.at(-1)]
    const isStart = seamBefore === null
    const isExact = isStart || (first === 0 && known[0] === lastBefore)
    const lastKeyed = ids.findLastIndex((id) => id !== null)
    let isEnd = isExact && this.#isAtEnd(request, page, lastKeyed)
    let last = lastKeyed
    let hasNew = false
    const given: Step['given'] = []
    const repeated: string[] = []
    if (!isStart) this.#standAt(known[first] as Known)
    for (let index = first; index <= last; index++) {
      const id = ids[index]
      if (!id) continue
      const isGiven = this.#given.has(id.key)
      hasNew ||= !isGiven && !known[index]
      if (isGiven && isExact && (isStart || index > first)) repeated.push(id.key)
      if (!isGiven && given.length === limit) {
        last = index
        isEnd = false
      }
      if (isStart || index > first) this.#pass(known[index] ?? this.#learn(id))
      // The last item is held back for the next page, which has to begin with it.
      if (isGiven || (index === last && !isEnd)) continue
      this.#given.add(id.key)
      given.push({ item: page.items[index], key: id.key, place: request.position + index })
    }
    // Keyless items before a known one were counted with it.
    const counted = known.findLastIndex((item) => item)
    const keyless = ids.slice(counted + 1, isEnd ? ids.length : Math.max(0, last))
    const skipped = keyless.filter((id) => id === null).length
    if (last >= 0) this.#seam = { position: request.position + last, total: page.total }
    if (last >= 0 && given.length + skipped > 0) this.#pages += 1
    this.#forget()
    if (isEnd) this.#end = 'whole'
    else if (this.#pages === maxPages) this.#end = 'more'
    else if (hasNew || given.length > 0) this.#goOn('new')
    else if (this.#hasMoved(seamBefore, lastBefore)) this.#goOn('moved')
    else this.#standStill(request, page, lastKeyed)
    return { given, skipped, repeated, isExact }
  }

  /** Whether a page that begins with the seam has nothing behind its last item. */
  #isAtEnd(request: PageRequest, page: Page, lastKeyed: number): boolean {
    const { length } = page.items
    const reachesTotal = request.position + length >= page.total
    if (!page.hasNext && reachesTotal) return true
    const isAlone = this.#seam !== null && lastKeyed === 0
    // Keyless items behind the seam, of a server that gives less than it is asked: no end is seen.
    const hidesMore = length > 1 && page.hasNext && !reachesTotal
    if (!isAlone || length >= request.size || hidesMore) return false
    // What is said does not fit together: the seam alone, twice, is the end.
    if (++this.#alone < 2) return false
    this.#options.onOddEnd?.()
    return true
  }

  /**
   * Whether the walk has come further though it met nothing new: past the item that was the last, or
   * to where that stands now that the list has grown. A server that ignores the position gives the
   * same items again, further and further on.
   */
  #hasMoved(seamBefore: { position: number; total: number } | null, lastBefore?: Known): boolean {
    const last = this.#path.at(-1)
    if (last !== lastBefore) return lastBefore === undefined || !this.#ahead.includes(lastBefore)
    if (seamBefore === null || this.#seam === null) return false
    return this.#seam.position > seamBefore.position && this.#seam.total > seamBefore.total
  }

  /** Goes on from the seam, with what is planned behind it. */
  #goOn(why: 'new' | 'moved' | 'again'): void {
    if (why === 'new') this.#stalls = 0
    if (why !== 'again') this.#alone = 0
    const position = this.#seam?.position ?? 0
    this.#planned = this.#planned.filter((other) => other.position + other.size - 1 > position)
    const [next] = this.#planned
    if (next && next.position > position) this.#need = { position, size: this.#size }
  }

  /** A page that brought the walk nothing and nowhere: looks further, or again. */
  #standStill(request: PageRequest, page: Page, lastKeyed: number): void {
    const { largest } = this.#options
    if (lastKeyed <= 0 && page.items.length >= request.size && request.size < largest) {
      // Nothing but keyless items behind the seam.
      const position = this.#seam?.position ?? 0
      this.#need = { position, size: Math.min(largest, request.size * 2) }
      return
    }
    if (++this.#stalls === patience) throw standsStill()
    // What is in flight may have been looked at before the list moved: it would lead back again.
    this.#planned = []
    this.#goOn('again')
  }

  /** Plans pages from the seam on, or behind those that are planned. */
  #plan(most: number): void {
    const { position, total } = this.#seam as { position: number; total: number }
    const left = this.#options.maxPages - this.#pages
    while (this.#planned.length < Math.min(most, left)) {
      const before = this.#planned.at(-1) ?? this.#need
      const next = before ? before.position + before.size - 1 : position
      if (before && next >= total - 1) return
      this.#planned.push({ position: next, size: this.#size })
    }
  }

  /** A page that proves nothing: empty, or without anything known. */
  #lost(request: PageRequest, page: Page): null {
    const isEmpty = page.items.length === 0
    if (isEmpty && this.#search === null) {
      this.#empties += 1
      const isEmptyList = this.#seam === null && page.total === 0 && !page.hasNext
      // Spotify answers with an empty page now and then: one proves nothing.
      if (this.#empties > 1 && isEmptyList) {
        this.#end = 'whole'
        return null
      }
      if (this.#seam === null && this.#empties === patience) throw staysEmpty()
      if (this.#seam === null || this.#empties === 1) {
        this.#need = request
        return null
      }
    }
    this.#search ??= { queue: this.#around(page), sawItems: false }
    this.#search.sawItems ||= !isEmpty
    const position = this.#search.queue.shift()
    if (position === undefined) this.#giveUp(this.#search.sawItems)
    else this.#need = { position, size: this.#options.largest }
    return null
  }

  /** Nothing that is known is in the list. Where nothing was forgotten, the read begins again. */
  #giveUp(sawItems: boolean): void {
    if (!sawItems) throw staysEmpty()
    if (this.#hasForgotten || ++this.#restarts === patience) throw changed()
    this.#search = null
    this.#seam = null
    this.#planned = []
    this.#ahead = [...this.#path, ...this.#ahead]
    this.#path = []
  }

  /** Where to search: where the seam should be by how the list has grown, then ever further off. */
  #around(page: Page): number[] {
    const { position, total: before } = this.#seam as { position: number; total: number }
    const total = page.total || before
    const middle = Math.max(0, Math.min(position + total - before, total - 1))
    const step = this.#options.largest - 1
    const places = [middle]
    for (let away = step; places.length < mostProbes; away += step) {
      const [left, right] = [middle - away, middle + away]
      if (left + step > 0) places.push(Math.max(0, left))
      if (right < total) places.push(right)
      if (left <= 0 && right >= total) break
    }
    return places
  }

  /** The server may give less than it is asked for: then pages are planned again, by what it gives. */
  #adaptSize(request: PageRequest, { items, total, hasNext }: Page): void {
    const isShort = items.length > 1 && items.length < request.size
    if (!isShort || !hasNext || request.position + items.length >= total) return
    if (items.length >= this.#size) return
    this.#size = items.length
    this.#planned = []
  }

  #find(id: Identified): Known | null {
    const met = this.#known.get(id.identity)
    if (met || this.#carried.size === 0) return met ?? null
    const hash = hashOf(id.identity)
    const known = this.#carried.get(hash)
    if (!known) return null
    this.#carried.delete(hash)
    known.id = id
    this.#known.set(id.identity, known)
    if (known.isGiven) this.#given.add(id.key)
    return known
  }

  #learn(id: Identified): Known {
    const known = { id, hash: null, isGiven: false }
    this.#known.set(id.identity, known)
    return known
  }

  /** Goes back or forward to a known item: what was known behind it lies ahead now. */
  #standAt(known: Known): void {
    const at = this.#path.lastIndexOf(known)
    if (at === -1) this.#pass(known)
    else this.#ahead.unshift(...this.#path.splice(at + 1))
  }

  /** Goes on to the next item. What should have come before it has left the list. */
  #pass(known: Known): void {
    const at = this.#ahead.indexOf(known)
    if (at !== -1) this.#ahead.splice(0, at + 1)
    this.#path.push(known)
  }

  #forget(): void {
    if (this.#path.length < 2 * remembered) return
    this.#hasForgotten = true
    for (const { id } of this.#path.splice(0, remembered)) {
      if (!id) continue
      this.#known.delete(id.identity)
      this.#given.delete(id.key)
    }
  }
}

function standsStill(): ConnectorError {
  return new ConnectorError(
    'upstream-error',
    'Spotify answers with the same part of the list again and again: the list does not go on, though it says that there is more. Try again later; what was read is not lost.',
  )
}

function staysEmpty(): ConnectorError {
  return new ConnectorError(
    'upstream-error',
    'Spotify answers again and again with an empty page in the middle of the list. Try again later; what was read is not lost.',
  )
}

function changed(): ConnectorError {
  return snapshotChanged(
    'The list has changed so much since the offset was given that the place can not be found again.',
  )
}
