import * as fc from 'fast-check'
import t from 'tap'
import { makeLibrary } from '../../src/simulator/library.ts'
import { tables } from '../../src/tables/index.ts'
import { type Built, build } from '../helpers/build.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Offset = { [name: string]: Json }

/** One change of an offset, at its `place`th value. */
type Change = { place: number; kind: string; name: string; value: Json }

const runs = {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: Number(process.env.FUZZ_MS ?? 2_500),
}

/** Those that are read page by page. */
const names = tables.filter(({ options }) => options.includes('max_pages')).map(({ name }) => name)

const library = makeLibrary({
  tracks: 40,
  albums: 12,
  playlists: 30,
  artists: 30,
  topTracks: 30,
  topArtists: 12,
  plays: 55,
})

const values: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(0, 1, 29, 30, 31, 49, 50, 1e6, -1, 0.5, 2 ** 53, '', '0', '9', null, true),
  fc.string({ maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    place: fc.nat(30),
    kind: fc.constantFrom('set', 'lose', 'add', 'double', 'shift'),
    name: fc.constantFrom(
      'position',
      'total',
      'seam',
      'ahead',
      'after',
      'cursor',
      'recent',
      'look',
    ),
    value: values,
  }),
  { maxLength: 3 },
)

t.test('an offset that was tampered with is read from, or refused, and never a 5xx', async (t) => {
  const { get, simulator, log } = await build(t, { simulator: { library } })
  const offsets = await realOffsets(get)
  t.ok(offsets.length > 20, `${offsets.length} offsets`)
  const counts: Record<number, number> = {}
  const cases = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...offsets), changes)
  const property = fc.asyncProperty(cases, async ([anyName, real, all]) => {
    const name = all.length === 0 ? anyName : real.table
    const offset = all.reduce(changed, structuredClone(real.offset))
    const before = simulator.stats.requests.length
    const path = `/tables/${name}/read?limit=5&max_pages=2&offset=${encodeURIComponent(JSON.stringify(offset))}`
    const { status, body } = await get(path)
    counts[status] = (counts[status] ?? 0) + 1
    const told = `${path} ${status} ${JSON.stringify(body).slice(0, 500)}`
    if (status === 200) return assertRead(name, offset, body)
    const isRefused = status === 400 && body.code === 'invalid-offset'
    if (isRefused && simulator.stats.requests.length > before) throw new Error(`asked: ${told}`)
    if (!isRefused && body.code !== 'snapshot-changed') throw new Error(told)
  })
  await t.resolves(fc.assert(property, runs))
  t.comment(JSON.stringify(counts))
  t.ok(counts[200] && counts[400], 'some are read from, some are refused')
  t.strictSame(
    log.filter(({ level }) => Number(level) >= 50),
    [],
  )
})

/** Offsets as they are given on the way through each table. */
async function realOffsets(get: Built['get']): Promise<{ table: string; offset: Offset }[]> {
  const offsets: { table: string; offset: Offset }[] = []
  for (const name of names) {
    let path = `/tables/${name}/read?limit=5&max_pages=1`
    for (let call = 1; call <= 5 && path; call++) {
      const { body } = await get(path)
      if (body.offset) offsets.push({ table: name, offset: body.offset })
      path = body.next
    }
  }
  return offsets
}

/** What holds for every read, wherever it began. */
function assertRead(
  table: string,
  sent: Offset,
  body: { records: object[]; offset: Offset | null; has_more: boolean },
) {
  const told = `${table} from ${JSON.stringify(sent)}: ${JSON.stringify(body).slice(0, 300)}`
  const { records, offset, has_more } = body
  if (has_more && records.length === 0 && JSON.stringify(offset) === JSON.stringify(sent)) {
    throw new Error(`it stands still: ${told}`)
  }
  if (has_more && offset === null) throw new Error(`more, but from where: ${told}`)
  const rows = records.map((record) => JSON.stringify(record))
  if (new Set(rows).size < rows.length) throw new Error(`rows come twice: ${told}`)
}

function changed(offset: Offset, { place, kind, name, value }: Change): Offset {
  const holders = holdersIn(offset)
  const holder = holders[place % holders.length] ?? offset
  const keys = Object.keys(holder)
  const key = keys[place % Math.max(1, keys.length)] ?? name
  const items = holder as { [key: string]: Json }
  switch (kind) {
    case 'set':
      items[key] = value
      break
    case 'lose':
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete items[key]
      break
    case 'add':
      if (Array.isArray(holder)) holder.push(value)
      else items[name] = value
      break
    case 'double':
      if (Array.isArray(holder)) holder.push(...holder)
      else items[name] = items[key] ?? null
      break
    default:
      if (typeof items[key] === 'number') items[key] += place - 15
      if (typeof items[key] === 'string') items[key] = items[key].slice(1) + items[key].slice(0, 1)
  }
  return offset
}

/** The objects and arrays in a value, itself first. */
function holdersIn(value: Json): (Json[] | Offset)[] {
  if (value === null || typeof value !== 'object') return []
  return [value, ...Object.values(value).flatMap(holdersIn)]
}
