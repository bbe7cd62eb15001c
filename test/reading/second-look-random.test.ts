import fc from 'fast-check'
import t from 'tap'
import { readLookedAtPlace, SecondLook } from '../../src/reading/second-look.ts'
import { drive, type Open } from './drive.ts'
import { type Change, shorten } from './model.ts'

const biggest = 60

/** Walks over a list that is computed anew; `mayStartOver` where its rows are held back. */
const openLookedAt =
  (mayStartOver: boolean): Open =>
  (options, offset) =>
    new SecondLook(options, readLookedAtPlace(offset), mayStartOver)

const place = fc.nat(biggest)
const config = fc.record({
  size: fc.nat(biggest),
  page: fc.integer({ min: 2, max: 20 }),
  inFlight: fc.integer({ min: 1, max: 8 }),
  pagesPerCall: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 5 })),
  isReversed: fc.boolean(),
  keyless: fc.uniqueArray(place, { maxLength: 5 }),
})

const recompute: fc.Arbitrary<Change> = fc.record({
  kind: fc.constant('recompute'),
  seed: fc.nat(),
})
/** Behind the head: a second look at the head tells of whole lists that are new, of nothing else. */
const move = fc.record({ kind: fc.constantFrom('insert', 'remove'), behind: place })
const script = fc.array(fc.tuple(fc.nat(25), fc.oneof(recompute, move)), { maxLength: 6 })

for (const mayStartOver of [true, false]) {
  const where = mayStartOver ? 'in an answer' : 'in a stream'
  t.test(`${where}, a list that is computed anew is whole, or it is told`, async (t) => {
    let ended = 0
    const property = fc.property(config, script, (config, moves) => {
      const changes = moves
        .map(([request, change]): [number, Change] => [
          request,
          'behind' in change ? { kind: change.kind, at: config.page + change.behind } : change,
        ])
        .toSorted(([a], [b]) => a - b)
      const verdict = drive(openLookedAt(mayStartOver), config, changes)
      const { lost, doubled, failure, wasEmpty, keylessRun } = verdict
      const isFair =
        failure === null ||
        failure === 'snapshot-changed' ||
        (failure === 'upstream-error' &&
          // In another order the walk may be led back until it is given up.
          (wasEmpty ||
            keylessRun >= config.page - 1 ||
            changes.some(([, { kind }]) => kind === 'recompute')))
      if (!isFair || (failure === null && lost.length + doubled.length > 0)) {
        throw new Error(shorten(verdict))
      }
      if (failure === null) ended += 1
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 4_000 }))
    t.ok(ended > 4_000 / 5, `${ended} reads came to an end without a failure`)
  })
}

t.test('a quiet list costs one request more, whatever the sizes', async (t) => {
  const property = fc.property(config, fc.boolean(), (config, mayStartOver) => {
    const quiet = { ...config, keyless: [] }
    const { lost, doubled, failure, requests } = drive(openLookedAt(mayStartOver), quiet, [])
    const { size, page } = quiet
    const walk = Math.max(1, Math.ceil(size / (page - 1)))
    const wanted = walk === 1 && size > 0 ? 1 : walk + 1
    const found = JSON.stringify({ lost, doubled, failure, requests })
    if (found !== JSON.stringify({ lost: [], doubled: [], failure: null, requests: wanted })) {
      throw new Error(`${found}, ${wanted} requests wanted`)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }))
})
