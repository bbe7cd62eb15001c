import fc from 'fast-check'
import t from 'tap'
import { drive } from './drive.ts'
import { type Change, shorten } from './model.ts'
import { openSweeps } from './sweeps-exhaustive.ts'

const biggest = 60

const place = fc.nat(biggest)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insert', 'remove', 'save again'), at: place }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('drag'), at: place, to: place }) },
)
const changes = fc
  .array(fc.tuple(fc.nat(25), change), { maxLength: 12 })
  .map((script) => script.toSorted(([a], [b]) => a - b))

const config = fc.record({
  size: fc.nat(biggest),
  page: fc.integer({ min: 2, max: 20 }),
  inFlight: fc.integer({ min: 1, max: 8 }),
  pagesPerCall: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 5 })),
  isReversed: fc.boolean(),
  keyless: fc.uniqueArray(place, { maxLength: 5 }),
})

t.test('a list that is dragged about is whole, each row once, or it is told', async (t) => {
  let ended = 0
  const property = fc.property(config, changes, (config, changes) => {
    const verdict = drive(openSweeps, config, changes)
    const { lost, doubled, failure, wasEmpty, keylessRun } = verdict
    const isFair =
      failure === null ||
      failure === 'snapshot-changed' ||
      (failure === 'upstream-error' &&
        // Four attempts in a row that bring nothing new are given up, and each takes a change.
        (wasEmpty || keylessRun >= config.page - 1 || changes.length >= 4))
    if (!isFair || (failure === null && lost.length + doubled.length > 0)) {
      throw new Error(shorten(verdict))
    }
    if (failure === null) ended += 1
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5_000 }))
  t.ok(ended > 5_000 / 5, `${ended} reads came to an end without a failure`)
})

t.test('a quiet list is verified by twice the requests, whatever the sizes', async (t) => {
  const property = fc.property(config, (config) => {
    const quiet = { ...config, keyless: [] }
    const { lost, doubled, failure, requests } = drive(openSweeps, quiet, [])
    const { size, page } = quiet
    const sweep = Math.max(1, Math.ceil(size / (page - 1)))
    const wanted = sweep === 1 && size > 0 ? 1 : 2 * sweep
    const found = JSON.stringify({ lost, doubled, failure, requests })
    if (found !== JSON.stringify({ lost: [], doubled: [], failure: null, requests: wanted })) {
      throw new Error(`${found}, ${wanted} requests wanted`)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }))
})
