import t, { type Test } from 'tap'
import {
  type Library,
  makeAlbum,
  makeLibrary,
  makeSavedAlbum,
} from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'

/** A change of the lists, while they are read. */
type Move = (library: Library) => void

type Keyed = { id?: string | null; album?: Keyed } | null
const keysOf = (rows: readonly Keyed[]) => rows.map((row) => row?.album?.id ?? row?.id)

const playlists = '/tables/playlists/read'
const path = '/me/playlists'

/** Drags a playlist; places count from 1. */
const drag = (from: number, to: number) => (library: Library) => {
  library.playlists.splice(to - 1, 0, ...library.playlists.splice(from - 1, 1))
}

const drags: Record<string, Move[]> = {
  'a playlist dragged forward': [drag(220, 60)],
  'a playlist dragged back': [drag(60, 220)],
  'a playlist dragged within a page': [drag(120, 105)],
  'a playlist dragged to the head': [drag(220, 1)],
  'a pair that leaves the head, the total and every seam': [drag(220, 60), drag(50, 250)],
  'a pair that crosses': [drag(60, 220), drag(240, 70)],
  'two that change places': [drag(220, 60), drag(61, 220)],
}

for (const [what, moves] of Object.entries(drags)) {
  t.test(`${what}, at any moment of one call: all playlists, each once`, async (t) => {
    const { get, simulator } = await build(t)
    // Two sweeps of seven pages, and one request more, where nothing moves.
    for (let at = 1; at <= 15; at++) {
      simulator.library = makeLibrary({ playlists: 300 })
      moveAt(simulator, at, () => {
        for (const move of moves) move(simulator.library)
      })
      const { status, body } = await get(playlists)
      t.equal(status, 200, `before request ${at}`)
      t.strictSame([body.offset, body.has_more], [null, false])
      holdsEach(t, body.records, simulator.library.playlists)
    }
  })

  if (moves.length > 1) {
    t.test(`${what}, one move after the other: all playlists, or a new start`, async (t) => {
      const { get, simulator } = await build(t)
      for (let at = 1; at <= 13; at++) {
        simulator.library = makeLibrary({ playlists: 300 })
        simulator.faults.clear()
        for (const [nth, move] of moves.entries()) {
          simulator.faults.beforeAnswer(path, (_request, n) => {
            if (n === at + 2 * nth) move(simulator.library)
          })
        }
        const { status, body } = await get(playlists)
        t.equal(status, 200, `before request ${at}, and two later`)
        holdsEach(t, body.records, simulator.library.playlists)
      }
    })
  }

  t.test(`${what}, between two calls: all playlists, or a new start`, async (t) => {
    const { get, simulator } = await build(t)
    for (const maxPages of [1, 2, 3]) {
      for (let at = 1; at <= 7 / maxPages; at++) {
        simulator.library = makeLibrary({ playlists: 300 })
        simulator.faults.clear()
        const move = () => {
          for (const one of moves) one(simulator.library)
        }
        const read = await readCalls(get, `${playlists}?max_pages=${maxPages}`, at, move)
        t.ok(read.calls >= 7 / maxPages)
        holdsOrRestarts(t, read, simulator.library.playlists)
      }
    }
  })
}

// Two sweeps that miss the same playlist give the same: one page after the other it is dragged
// away in front of both.
for (const concurrency of ['1', '8']) {
  t.test(`a playlist dragged away in front of two sweeps, ${concurrency} at once`, async (t) => {
    const { get, simulator } = await build(t, { env: { SPOTIFY_CONCURRENCY: concurrency } })
    for (let first = 2; first <= 7; first++) {
      for (let second = 9; second <= 14; second++) {
        simulator.library = makeLibrary({ playlists: 300 })
        simulator.faults.clear()
        const moves = new Map([
          [first, drag(220, 60)],
          [8, drag(60, 220)],
          [second, drag(220, 60)],
        ])
        simulator.faults.beforeAnswer(path, (_request, n) => moves.get(n)?.(simulator.library))
        const { status, body } = await get(playlists)
        t.equal(status, 200, `before requests ${first}, 8 and ${second}`)
        holdsEach(t, body.records, simulator.library.playlists)
      }
    }
  })
}

t.test('a playlist that is dragged about without end is no table', async (t) => {
  const { get, simulator } = await build(t)
  simulator.library = makeLibrary({ playlists: 300 })
  simulator.faults.beforeAnswer(path, (_request, nth) => {
    if (nth % 5 === 0) drag(nth % 2 === 0 ? 220 : 60, nth % 2 === 0 ? 60 : 220)(simulator.library)
  })
  const { status, body } = await get(playlists)
  t.equal(status, 409)
  t.match(body, { code: 'snapshot-changed', restart: true, retryable: false })
  t.ok(simulator.stats.api <= 5 * 7 + 8, `${simulator.stats.api} requests`)
  simulator.faults.clear()
  const again = await get(playlists)
  t.equal(again.status, 200)
  holdsEach(t, again.body.records, simulator.library.playlists)
})

t.test('a new playlist between two calls costs a new start, and in one call none', async (t) => {
  const { get, simulator } = await build(t)
  simulator.library = makeLibrary({ playlists: 300 })
  const [other] = makeLibrary({ playlists: 1, seed: 1 }).playlists
  const add = () => simulator.library.playlists.unshift(structuredClone(other) ?? null)
  const read = await readCalls(get, `${playlists}?max_pages=2`, 1, add)
  holdsOrRestarts(t, read, simulator.library.playlists)
  t.equal(read.status, 409)
})

// One album is taken out and another one put in, both behind the head: the total stays as it was.
for (const [out, into] of [
  [60, 220],
  [220, 60],
  [130, 131],
] as const) {
  t.test(`an album swapped, no. ${out} for a new no. ${into}: no other is lost`, async (t) => {
    const { get, simulator } = await build(t)
    const swap = () => {
      simulator.library.albums.splice(out - 1, 1)
      const album = makeSavedAlbum('2026-11-20T12:00:00Z', makeAlbum(900))
      simulator.library.albums.splice(into - 1, 0, album)
    }
    const start = () => {
      simulator.library = makeLibrary({ albums: 300 })
      simulator.faults.clear()
      return keysOf(simulator.library.albums)
    }
    const holdsLasting = (records: Keyed[], before: unknown[]) => {
      const keys = keysOf(records)
      const lasting = new Set(keysOf(simulator.library.albums)).intersection(new Set(before))
      t.equal(new Set(keys).size, keys.length, 'each once')
      const its = keys.filter((key) => lasting.has(key))
      t.strictSame(its, [...lasting], 'every album that was there all the time, in order')
      const known = new Set([...before, ...keysOf(simulator.library.albums)])
      t.ok(keys.every((key) => known.has(key)))
    }
    for (let at = 1; at <= 8; at++) {
      const before = start()
      moveAt(simulator, at, swap, '/me/albums')
      const { status, body } = await get('/tables/albums/read')
      t.equal(status, 200, `before request ${at}`)
      t.strictSame([body.offset, body.has_more], [null, false])
      holdsLasting(body.records, before)
    }
    for (const maxPages of [1, 2]) {
      for (let at = 1; at <= 6 / maxPages; at++) {
        const before = start()
        const read = await readCalls(get, `/tables/albums/read?max_pages=${maxPages}`, at, swap)
        t.equal(read.status, 200, `behind call ${at}`)
        holdsLasting(read.records, before)
      }
    }
  })
}

type Get = Awaited<ReturnType<typeof build>>['get']
type Simulator = Awaited<ReturnType<typeof build>>['simulator']
type Calls = { status: number; body: Record<string, unknown>; records: Keyed[]; calls: number }

/** Moves before the answer to the nth request. */
function moveAt({ faults }: Simulator, at: number, move: () => void, on = path): void {
  faults.clear()
  faults.beforeAnswer(on, (_request, nth) => {
    if (nth === at) move()
  })
}

/** Reads call after call to the end, or to the first that fails; moves behind the nth. */
async function readCalls(get: Get, url: string, at: number, move: () => void): Promise<Calls> {
  const records: Keyed[] = []
  for (let calls = 1, next = url; ; calls++) {
    const { status, body } = await get(next)
    records.push(...(body.records ?? []))
    if (!body.has_more) return { status, body, records, calls }
    if (calls === at) move()
    next = body.next
  }
}

function holdsOrRestarts(t: Test, { status, body, records }: Calls, list: readonly Keyed[]): void {
  if (status === 200) holdsEach(t, records, list)
  else t.match({ status, body }, { status: 409, body: { code: 'snapshot-changed', restart: true } })
}

/** Holds that the rows are those of the list, each once. */
function holdsEach(t: Test, records: readonly Keyed[], list: readonly Keyed[]): void {
  const keys = keysOf(records)
  t.equal(keys.length, list.length)
  t.strictSame(new Set(keys), new Set(keysOf(list)))
}
