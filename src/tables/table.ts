import { isObject } from '../json.ts'
import type { Log } from '../log.ts'
import { bind, type Offset, unbind } from '../reading/offset.ts'
import type { Reading, Rows, ToRow } from '../reading/reading.ts'
import { compileProjector, type Tally } from '../schema/project.ts'
import { compileSampler, type Sample } from '../schema/sample.ts'
import type { Struct } from '../schema/types.ts'
import type { Call } from '../spotify/client.ts'
import type { Spotify } from '../spotify/session.ts'

/** The time ranges of top lists. Source: Web API, "Get User's Top Items". */
export const timeRanges = ['short_term', 'medium_term', 'long_term'] as const

/** About four weeks, six months, a year. */
export type TimeRange = (typeof timeRanges)[number]

/** The options there are, in the order in which a table names its own. */
export const optionNames = ['time_range', 'limit', 'max_pages'] as const

/** The name of an option: a caller's parameter of a table. */
export type OptionName = (typeof optionNames)[number]

/** What a caller asks of a read, checked: every option has its value or its default. */
export type Options = {
  connection: string
  timeRange: TimeRange
  /** Items a page of Spotify's, 1 to 50. */
  limit: number
  /** Pages for one call, at least 1. */
  maxPages: number
}

/** What a read is given beside its options. */
export type ReadParts = {
  spotify: Spotify
  nowMs: number
  log: Log
  tally: Tally
  /** Takes a few of the read's items and rows, where somebody wants to know what Spotify sends. */
  sample?: Sample
  /** Called where the list had moved under the read, and the place to go on from was found again. */
  onSeamFoundAgain?(): void
  /** Pages in flight at once. */
  concurrency: number
  /** Nobody has seen a row before the read has ended, so it may start over. */
  mayStartOver: boolean
}

/** A table of a Spotify account. */
export type Table = {
  name: string
  description: string
  ingestionType: 'snapshot' | 'cdc'
  /** Dotted paths into the record. */
  primaryKeys: readonly string[]
  /** The column that orders changes; null for a snapshot. */
  cursorField: string | null
  /** The scopes that the consent has to hold. */
  scopes: readonly string[]
  options: readonly OptionName[]
  /** The schema of a record. */
  record: Struct
  /**
   * Checks an offset (`{}`: from the start) and gives the read that goes on from it, which has
   * asked nobody yet. Throws `invalid-offset`.
   */
  open(options: Options, offset: Offset): (parts: ReadParts) => Reading
}

/** What a table's own file says of how it is read. `P` is a place to go on from, read from an offset. */
type Definition<P> = Omit<Table, 'open' | 'cursorField'> & {
  cursorField?: string
  /** The key of an item; null for an item that can't be a row. */
  key(item: Item): string | null
  /** What tells the item from the same one saved again; left out: its key. */
  identity?(item: Item): string
  /** The item with the fields that the record takes, to be projected. */
  row(item: Item, place: number, options: Options): unknown
  /** Reads the place in an offset. Throws `invalid-offset`. */
  place(offset: Offset): P
  read(spotify: Spotify, read: ReadOf<P>): Reading
}

/** What a read of a table asks of the requests that it makes. */
export function callOf({ scopes, ingestionType }: Table): Pick<Call, 'scopes' | 'plays'> {
  // Plays go first: of all tables only theirs can lose rows by waiting.
  return { scopes, plays: ingestionType === 'cdc' }
}

/** An item of Spotify's that is an object; any of its fields may be missing or of another type. */
export type Item = Record<string, unknown>

type ReadOf<P> = Options &
  Pick<ReadParts, 'nowMs' | 'log' | 'onSeamFoundAgain' | 'concurrency' | 'mayStartOver'> & {
    place: P
    rows: Rows
    toRow: ToRow
    offsetAt(place: Offset): Offset
  }

/** A table from its definition: compiles the projector, and binds offsets to what they are good for. */
export function defineTable<P>(definition: Definition<P>): Table {
  const { key, identity = key, row, place, read, ...table } = definition
  const project = compileProjector(table.record)
  const sampler = compileSampler(table.record)
  return {
    ...table,
    cursorField: table.cursorField ?? null,
    open(options, offset) {
      const binding = {
        table: table.name,
        connection: options.connection,
        ...(table.options.includes('time_range') && { time_range: options.timeRange }),
      }
      // A checkpoint is bound to nothing: it has to be the Python connector's, and so its own.
      const bound = table.ingestionType === 'snapshot' && Object.keys(offset).length > 0
      const from = place(bound ? unbind(binding, offset) : offset)
      return ({ spotify, tally, sample, ...parts }) => {
        const identify: Rows['identify'] = (item) => {
          const itsKey = isObject(item) ? key(item) : null
          return itsKey ? { key: itsKey, identity: identity(item as Item) as string } : null
        }
        const toRecord: Rows['toRecord'] = (item, at) => {
          const record = project(row(item as Item, at, options), tally)
          if (sample) sampler.look(sample, item, record)
          return record
        }
        return read(spotify, {
          ...options,
          ...parts,
          place: from,
          rows: { identify, toRecord },
          toRow(item, at) {
            const id = identify(item)
            return id && { key: id.key, record: toRecord(item, at) }
          },
          offsetAt: (next) => bind(binding, next),
        })
      }
    },
  }
}
