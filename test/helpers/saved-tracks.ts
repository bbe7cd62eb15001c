import type { Test } from 'tap'
import type { On } from '../../src/simulator/faults.ts'
import { type Library, makeLibrary } from '../../src/simulator/library.ts'
import type { Stats } from '../../src/simulator/stats.ts'
import type { Built } from './build.ts'

/** Five pages: 237 saved tracks. Shared, so not to be changed. */
export const savedTracks: Library = makeLibrary({ tracks: 237 })

/** Nine pages: the first, and eight that can be in flight at once. Shared as well. */
export const ninePages: Library = makeLibrary({ tracks: 442 })

/** The rows of one page: its last item is held back for the next, which begins with it. */
export const rowsAPage = 49

/** An answer to a read. */
export type Answer = Awaited<ReturnType<Built['get']>>

/** What is read, when it is not all of the saved tracks. */
type Part = { library?: Library; from?: number }

/** Holds that an answer is the rest of the saved tracks from a place on, each once, and no more. */
export function endsWhole(
  t: Test,
  { status, body }: Answer,
  what = 'whole',
  { library = savedTracks, from = 0 }: Part = {},
): void {
  const { records: _records, ...beside } = body
  t.strictSame({ status, ...beside }, { status: 200, offset: null, has_more: false }, what)
  t.equal(idsOf(body).join(), trackIds(library).slice(from).join(), `${what}: its rows`)
}

/** Holds that an answer is the first pages, interrupted by this problem; gives the next call's URL. */
export function isInterrupted(
  t: Test,
  { status, body }: Answer,
  by: object,
  { library = savedTracks, pages = 2 } = {},
): string {
  t.match({ status, ...body }, { status: 200, has_more: true, interrupted: by }, 'interrupted')
  t.equal(body.retry_after_s, body.interrupted?.retry_after_s)
  const rows = trackIds(library).slice(0, pages * rowsAPage)
  t.equal(idsOf(body).join(), rows.join(), 'the rows of the pages before')
  return body.next
}

/** The requests for the pages behind the first ones, whichever comes first of those in flight. */
export function behindPage(pages: number): Exclude<On, string> {
  return ({ path, query }) => path === '/me/tracks' && Number(query.offset) >= pages * rowsAPage
}

/** How often each page of the saved tracks was asked for, by its place. */
export function askedByPlace({ requests }: Stats): Record<number, number> {
  const asked: Record<number, number> = {}
  for (const { path, query } of requests) {
    const place = Number(query.offset)
    if (path === '/me/tracks') asked[place] = (asked[place] ?? 0) + 1
  }
  return asked
}

/** The ids of the tracks in an answer, in its order. */
export function idsOf({ records = [] }: Answer['body']): string[] {
  return records.map(({ track }: { track: { id: string } }) => track.id)
}

function trackIds({ tracks }: Library) {
  return tracks.map((item) => item?.track?.id)
}
