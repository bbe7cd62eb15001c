import fc from 'fast-check'
import t from 'tap'
import { drive } from './drive.ts'
import { type Change, shorten } from './model.ts'
import { openWalk } from './walk-exhaustive.ts'

const biggest = 400

const place = fc.nat(biggest)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insert', 'remove', 'save again'), at: place }),
)
/** Changes come one by one, and in bursts that move the list by more than a page. */
const burst = fc
  .tuple(
    fc.nat(60),
    fc.constantFrom('insert', 'remove', 'save again'),
    place,
    fc.integer({ min: 1, max: 120 }),
  )
  .map(([request, kind, at, times]) =>
    Array.from({ length: times }, () => [request, { kind, at } as Change] as const),
  )
const script = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(60), change), { maxLength: 40 }),
    fc.array(burst, { maxLength: 4 }),
  )
  .map(([single, bursts]) => [...single, ...bursts.flat()].sort(([a], [b]) => a - b))

t.test('a long list that moves all the time loses and doubles nothing', async (t) => {
  const config = fc.record({
    size: fc.nat(biggest),
    page: fc.integer({ min: 2, max: 50 }),
    inFlight: fc.integer({ min: 1, max: 16 }),
    pagesPerCall: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 5 })),
    isReversed: fc.boolean(),
    keyless: fc.uniqueArray(place, { maxLength: 20 }),
  })
  fc.assert(
    fc.property(config, script, (config, changes) => {
      const verdict = drive(openWalk, config, changes)
      const { lost, doubled, failure, wasEmpty, keylessRun } = verdict
      const isFair =
        failure === null ||
        // In one call it begins again where nothing that it knows is left.
        (failure === 'snapshot-changed' && Number.isFinite(config.pagesPerCall)) ||
        // A page that holds no key behind the seam can not be looked over.
        (failure === 'upstream-error' && (wasEmpty || keylessRun >= config.page - 1))
      // In a cut-down form: a failure prints its whole script.
      if (lost.length + doubled.length > 0 || !isFair) throw new Error(shorten(verdict))
    }),
    { numRuns: 3_000 },
  )
  t.pass('the seed is told when it fails')
})

t.test('a burst of items that are put in while pages are in flight is no standstill', async (t) => {
  for (const count of [1, 3, 8, 30]) {
    for (let request = 0; request < 60; request++) {
      const burst = Array.from(
        { length: count },
        () => [request, { kind: 'insert', at: 0 }] as const,
      )
      const { lost, doubled, failure } = drive(
        openWalk,
        {
          size: 116,
          page: 3,
          inFlight: 4,
          pagesPerCall: Number.POSITIVE_INFINITY,
          isReversed: false,
          keyless: [110],
        },
        burst,
      )
      if (failure || lost.length + doubled.length > 0) {
        t.fail(`${count} before request ${request}: ${failure}`)
      }
    }
  }
  t.pass()
})

t.test('a quiet list of n costs ceil((n - 1) / 49) + 1 requests at most', async (t) => {
  for (let size = 0; size <= 300; size++) {
    for (const inFlight of [1, 8]) {
      const { requests, lost, doubled, failure } = drive(
        openWalk,

        { size, page: 50, inFlight, pagesPerCall: Number.POSITIVE_INFINITY, isReversed: false },
        [],
      )
      const most = Math.max(2, Math.ceil((size - 1) / 49) + 1)
      if (requests > most || failure || lost.length + doubled.length > 0) {
        t.fail(`${size} items took ${requests} requests, ${inFlight} in flight`)
      }
    }
  }
  t.pass()
})

t.test(
  'a list that is changed at every third request is read in a few more requests',
  async (t) => {
    const size = 5_000
    const changes = Array.from(
      { length: 60 },
      (_, n) =>
        [n * 3, { kind: n % 2 ? 'insert' : 'remove', at: (n * 7) % 40 }] as [number, Change],
    )
    const { requests, lost, doubled, failure } = drive(
      openWalk,

      { size, page: 50, inFlight: 8, pagesPerCall: Number.POSITIVE_INFINITY, isReversed: false },
      changes,
    )
    t.same({ lost, doubled, failure }, { lost: [], doubled: [], failure: null })
    t.comment(`${requests} requests, ${Math.ceil((size - 1) / 49)} on a quiet list`)
    t.ok(requests < 2 * 103)
  },
)
