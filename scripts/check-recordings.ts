// Reads recorded answers of the Web API through the whole service and compares every row with
// them, field by field: `npm run recordings -- FOLDER`.
import { isDeepStrictEqual } from 'node:util'
import { pino } from 'pino'
import { systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { Secrets } from '../src/secrets.ts'
import { createService } from '../src/service.ts'
import { readRecording, type recordings, serveRecordings } from './serve-recordings.ts'

type Json = Record<string, unknown>
type Type =
  | string
  | { type: 'struct'; fields: { name: string; type: Type }[] }
  | { type: 'array'; elementType: Type }

// What each table's rows are in the recording, written down apart from the tables' own code.
const expectations: {
  table: string
  path: keyof typeof recordings
  row?(item: Json, place: number): Json
}[] = [
  { table: 'tracks', path: '/me/tracks' },
  { table: 'albums', path: '/me/albums' },
  { table: 'playlists', path: '/me/playlists' },
  { table: 'artists', path: '/me/following' },
  { table: 'top_tracks', path: '/me/top/tracks', row: ranked },
  { table: 'top_artists', path: '/me/top/artists', row: ranked },
  { table: 'recently_played', path: '/me/player/recently-played' },
  { table: 'user_profile', path: '/me' },
]

const folder = process.argv[2]
if (!folder) {
  process.stderr.write('usage: npm run recordings -- FOLDER (of recorded answers)\n')
  process.exit(2)
}

const upstream = await serveRecordings(folder)
const service = await createService({
  config: readConfig({
    SPOTIFY_CLIENT_ID: 'id',
    SPOTIFY_CLIENT_SECRET: 'secret',
    SPOTIFY_REFRESH_TOKEN: 'token',
    SPOTIFY_API_URL: `${upstream.origin}/v1`,
    SPOTIFY_ACCOUNTS_URL: upstream.origin,
    DATABASE_URL: 'sqlite::memory:',
  }),
  secrets: new Secrets(),
  clock: systemClock,
  logger: pino({ level: 'silent' }),
})
let wrong = 0
for (const { table, path, row = (item: Json) => item } of expectations) {
  const schema = (await get(`/tables/${table}/schema`)) as Type
  const recorded = itemsOf(readRecording(folder, path))
  if (table === 'recently_played') recorded.reverse()
  const expected = recorded
    .map((item, place) => item && (shape(row(item, place), schema) as Json))
    .filter(Boolean)
  const rows = await readWhole(table)
  const differing = expected.filter((one, index) => !isDeepStrictEqual(one, rows[index])).length
  const good = differing === 0 && rows.length === expected.length
  if (!good) wrong += 1
  process.stdout.write(
    `${good ? 'ok   ' : 'WRONG'} ${table}: ${recorded.length} items, ${rows.length} rows, ${differing} differ\n`,
  )
}
await service.close()
upstream.close()
process.exitCode = wrong === 0 ? 0 : 1

async function get(url: string): Promise<unknown> {
  const answer = await service.app.inject({ url, headers: { host: 'localhost' } })
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`)
  return answer.json()
}

/** In pages of 7, and calls of 2 pages, so that every edge is crossed. */
async function readWhole(table: string): Promise<unknown[]> {
  const rows: unknown[] = []
  const query = table === 'user_profile' ? '' : '?limit=7&max_pages=2'
  let next: string | undefined = `/tables/${table}/read${query}`
  while (next) {
    const answer = (await get(next)) as { records: unknown[]; next?: string }
    rows.push(...answer.records)
    next = answer.next
  }
  return rows
}

function itemsOf(recorded: Json): (Json | null)[] {
  const page = (recorded.artists ?? recorded) as Json
  return Array.isArray(page.items) ? page.items : [recorded]
}

function ranked(item: Json, place: number): Json {
  return { ...item, time_range: 'medium_term', rank: place + 1 }
}

/** The value as its column shows it, where it is of the column's type already. */
function shape(value: unknown, type: Type): unknown {
  if (value === undefined || value === null || typeof type === 'string') return value ?? null
  if (type.type === 'array')
    return (value as unknown[]).map((element) => shape(element, type.elementType))
  if (Object.keys(value as Json).length === 0) return null
  return Object.fromEntries(
    type.fields.map((field) => [field.name, shape((value as Json)[field.name], field.type)]),
  )
}
