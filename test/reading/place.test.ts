import fc from 'fast-check'
import t from 'tap'
import { placeFields, readPlace, writePlace } from '../../src/reading/place.ts'

const hash = 'Ab-_12345678'
const place = { position: 49, total: 237, seam: [hash] }

const carried = fc.record({
  hash: fc.stringMatching(/^[\w-]{12}$/),
  isGiven: fc.boolean(),
})

t.test('what is written is read again, through a URL and a checkpoint', async (t) => {
  const property = fc.property(
    fc.record({
      position: fc.nat(10_000_000),
      total: fc.nat(10_000_000),
      seam: fc.array(carried, { minLength: 1, maxLength: 5 }),
      ahead: fc.array(carried, { maxLength: 100 }),
    }),
    (place) => {
      const text = decodeURIComponent(encodeURIComponent(JSON.stringify(writePlace(place))))
      const found = JSON.stringify(readPlace(JSON.parse(text)))
      if (found !== JSON.stringify(place)) throw new Error(`${found} from ${text}`)
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})

t.test('an item that is not given yet has a star, and what is empty is left out', async (t) => {
  const seam = [
    { hash, isGiven: true },
    { hash, isGiven: false },
  ]
  t.strictSame(writePlace({ position: 1, total: 2, seam, ahead: [] }), {
    position: 1,
    total: 2,
    seam: [hash, `${hash}*`],
  })
  t.strictSame(Object.keys(writePlace({ position: 1, total: 2, seam, ahead: seam })), [
    ...placeFields,
  ])
})

t.test('an offset without any of the fields has no place', async (t) => {
  t.equal(readPlace({}), null)
  t.equal(readPlace({ digest: hash }), null)
})

t.test('rubbish is an invalid offset that names the field', async (t) => {
  const counts = [undefined, null, -1, 1.5, '49', true, [], {}, 10_000_001, 2 ** 60]
  const items = [
    null,
    hash,
    {},
    [],
    [hash.slice(1)],
    [`${hash}0`],
    [`${hash}**`],
    [` ${hash.slice(1)}`],
    [`${hash}\n`],
    [[hash]],
    [null],
    [hash, 7],
    Array.from({ length: 101 }, () => hash),
  ]
  const wrong = [
    ...counts.flatMap((count) => [
      ['position', count],
      ['total', count],
    ]),
    ...[undefined, ...items].map((value) => ['seam', value]),
    ...items.map((value) => ['ahead', value]),
  ] as [string, unknown][]
  for (const [field, value] of wrong) {
    const offset = { ...place, [field]: value }
    t.throws(
      () => readPlace(offset),
      { code: 'invalid-offset', message: new RegExp(`its ${field} is`) },
      JSON.stringify(offset).slice(0, 100),
    )
  }
  t.throws(() => readPlace({ position: 49 }), { code: 'invalid-offset' })
})

t.test('the largest place is read', async (t) => {
  const ahead = Array.from({ length: 100 }, () => hash)
  const found = readPlace({ position: 10_000_000, total: 0, seam: [hash], ahead })
  t.equal(found?.ahead.length, 100)
})
