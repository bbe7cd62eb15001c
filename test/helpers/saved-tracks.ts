import type { Test } from 'tap'
import { type Library, makeLibrary } from '../../src/simulator/library.ts'
import type { Built } from './build.ts'

/** Five pages: 237 saved tracks. Shared, so not to be changed. */
export const savedTracks: Library = makeLibrary({ tracks: 237 })

const ids = savedTracks.tracks.map((item) => item?.track?.id)

/** An answer to a read. */
export type Answer = Awaited<ReturnType<Built['get']>>

/** Holds that an answer is the rest of the saved tracks from a place on, each once, and no more. */
export function endsWhole(t: Test, { status, body }: Answer, from = 0, what = 'whole'): void {
  const { records: _records, ...beside } = body
  t.strictSame({ status, ...beside }, { status: 200, offset: null, has_more: false }, what)
  t.equal(idsOf(body).join(), ids.slice(from).join(), `${what}: its rows`)
}

/** Holds that an answer is the first two pages, interrupted by this problem; gives the next call's URL. */
export function isInterrupted(t: Test, { status, body }: Answer, by: object): string {
  t.match({ status, ...body }, { status: 200, has_more: true, interrupted: by }, 'interrupted')
  t.equal(body.retry_after_s, body.interrupted?.retry_after_s)
  t.equal(idsOf(body).join(), ids.slice(0, 100).join(), 'the rows of the first two pages')
  return body.next
}

/** The ids of the tracks in an answer, in its order. */
export function idsOf({ records = [] }: Answer['body']): string[] {
  return records.map(({ track }: { track: { id: string } }) => track.id)
}
