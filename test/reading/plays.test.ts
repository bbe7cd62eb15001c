import t, { type Test } from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import type { Offset } from '../../src/reading/offset.ts'
import { readPlays, readPlaysOffset } from '../../src/reading/plays.ts'
import { nameOf, pack, tagOf, unpack } from '../../src/reading/recent.ts'
import { memoryLog } from '../helpers/log.ts'
import { type CollectedRows, collectRows } from './collect-rows.ts'
import { type Item, pagesOf, playAt, playsBefore, toRow } from './in-memory-plays.ts'

const noonMs = Date.UTC(2026, 10, 20, 12)
const minuteMs = 60_000
const upstreamError = new ConnectorError('upstream-error', 'Spotify failed.')

/** What one read of this history gives that goes on from the offset, and what it warned of. */
async function read(
  history: readonly unknown[],
  sent: Offset = {},
  { nowMs = noonMs, ...answers }: Parameters<typeof pagesOf>[1] & { nowMs?: number } = {},
) {
  const log = memoryLog()
  // The offset has been a URL's text and a runner's checkpoint meanwhile.
  const place = readPlaysOffset(JSON.parse(JSON.stringify(sent)))
  const { getPage, asked } = pagesOf(history, answers)
  const got = await collectRows(readPlays(getPage, { toRow, place, nowMs, log }))
  return { ...got, offset: got.offset as Offset, warnings: log.of('warn'), asked }
}

function tracksOf({ records }: Pick<CollectedRows, 'records'>): unknown[] {
  return records.map(({ track }) => track)
}

function oldestFirst(items: Item[]): (string | null)[] {
  return items.map(({ track }) => track).reverse()
}

/** Nothing came, and the offset is the one that was sent, to the letter. */
function quiet(t: Test, got: CollectedRows, sent: Offset) {
  t.strictSame(got.records, [])
  t.equal(JSON.stringify(got.offset), JSON.stringify(sent))
  t.match(got, { hasMore: false, gap: undefined })
}

t.test('a first read gives all plays, oldest first, and no gap', async (t) => {
  const history = playsBefore(noonMs, 50)
  const got = await read(history)
  t.strictSame(tracksOf(got), oldestFirst(history))
  t.match(got, { hasMore: false, skipped: 0, gap: undefined })
  t.strictSame(got.warnings, [])
  t.equal(got.offset.cursor, String(noonMs))
  t.strictSame(Object.keys(got.offset), ['cursor', 'recent'])
})

t.test('nothing new: no rows, and the offset that was sent, key order included', async (t) => {
  const history = playsBefore(noonMs, 50)
  const { cursor, recent } = (await read(history)).offset
  for (const sent of [{ cursor, recent }, { recent, cursor }, { cursor }]) {
    quiet(t, await read(history, sent), sent)
  }
})

t.test('a history without plays gives the start back', async (t) => {
  quiet(t, await read([]), {})
})

t.test('a history that has become empty gives the offset back', async (t) => {
  const { offset } = await read(playsBefore(noonMs, 50))
  quiet(t, await read([], offset), offset)
})

t.test('only what came since is given', async (t) => {
  const before = playsBefore(noonMs, 50)
  const { offset } = await read(before)
  const since = playsBefore(noonMs + 3 * 210_000, 3)
  const got = await read([...since, ...before].slice(0, 50), offset)
  t.strictSame(tracksOf(got), oldestFirst(since))
  t.equal(got.offset.cursor, String(noonMs + 3 * 210_000))
  t.equal(got.gap, undefined)
})

t.test('a play that comes late is given once, and the offset moves', async (t) => {
  const history = playsBefore(noonMs, 50)
  const { offset } = await read(history)
  quiet(t, await read(history, offset), offset)
  const late = playAt(noonMs - 20 * 210_000 - 7, 'late')
  const withLate = [...history.slice(0, 21), late, ...history.slice(21, 49)]
  const got = await read(withLate, offset)
  t.strictSame(tracksOf(got), ['late'])
  t.equal(got.offset.cursor, offset.cursor)
  t.not(JSON.stringify(got.offset), JSON.stringify(offset))
  quiet(t, await read(withLate, got.offset), got.offset)
})

t.test('to read until the offset stops ends, from any offset that is ours', async (t) => {
  const history = playsBefore(noonMs, 50)
  const { recent } = (await read(history.slice(25))).offset
  const starts: Offset[] = [
    {},
    { cursor: '0' },
    { cursor: String(noonMs) },
    { cursor: String(noonMs - 5 * minuteMs), recent },
    { cursor: String(noonMs + 5 * 3_600_000) },
    { cursor: '999999999999999' },
  ]
  for (const start of starts) {
    let offset = start
    let calls = 0
    for (let moves = true; moves; calls++) {
      const next = (await read(history, offset)).offset
      moves = JSON.stringify(next) !== JSON.stringify(offset)
      offset = next
    }
    t.ok(calls <= 2, JSON.stringify(start))
  }
})

t.test('a cursor alone gives what is newer than it, and remembers what it covered', async (t) => {
  const history = playsBefore(noonMs, 50)
  const sent = { cursor: String(noonMs - 2 * 210_000) }
  const got = await read(history, sent)
  t.strictSame(tracksOf(got), oldestFirst(history.slice(0, 2)))
  t.equal(got.offset.cursor, String(noonMs))
  t.equal(unpack(String(got.offset.recent)).length, 50)
  quiet(t, await read(history, got.offset), got.offset)
})

t.test('a history older than the checkpoint gives nothing and moves nothing back', async (t) => {
  const sent = { cursor: String(noonMs) }
  const got = await read(playsBefore(noonMs - 3 * 86_400_000, 50), sent)
  quiet(t, got, sent)
  t.strictSame(got.warnings, [])
})

t.test('the cursor does not go back when old plays come in', async (t) => {
  const { offset } = await read(playsBefore(noonMs, 3))
  const got = await read(playsBefore(noonMs - 86_400_000, 50), offset)
  t.equal(got.records.length, 50)
  t.equal(got.offset.cursor, offset.cursor)
  const known = new Set(unpack(String(got.offset.recent)).map(nameOf))
  t.ok(unpack(String(offset.recent)).every((play) => known.has(nameOf(play))))
})

t.test('a cursor in the future comes from no play: all is given, with a warning', async (t) => {
  const history = playsBefore(noonMs, 50)
  const got = await read(history, { cursor: String(noonMs + 10 * minuteMs + 1) })
  t.strictSame(tracksOf(got), oldestFirst(history))
  t.match(got.warnings, [/cursor lies in the future/])
  t.equal(got.offset.cursor, String(noonMs))
  t.equal(got.gap, undefined, 'what was read before is not known')
  quiet(t, await read(history, got.offset), got.offset)
})

t.test('a cursor ten minutes ahead is a clock that is wrong', async (t) => {
  const sent = { cursor: String(noonMs + 10 * minuteMs) }
  const got = await read(playsBefore(noonMs, 50), sent)
  quiet(t, got, sent)
  t.strictSame(got.warnings, [])
})

t.test('a play dated in the future is given once and hides none that come later', async (t) => {
  const history = playsBefore(noonMs, 49)
  const future = playAt(noonMs + 3 * 3_600_000, 'future')
  const first = await read([future, ...history])
  t.equal(tracksOf(first).at(-1), 'future')
  t.equal(first.records.length, 50)
  t.strictSame(first.warnings, [])
  const later = playAt(noonMs + 210_000, 'later')
  const second = await read([future, later, ...history.slice(0, 48)], first.offset)
  t.strictSame(tracksOf(second), ['later'])
  t.strictSame(second.warnings, [])
  t.equal(second.offset.cursor, first.offset.cursor, 'the newest that was given')
  const third = await read([future, later, ...history.slice(0, 48)], second.offset)
  quiet(t, third, second.offset)
  const latest = playAt(noonMs + 2 * 210_000, 'latest')
  const fourth = await read([latest, later, ...history.slice(0, 48)], third.offset)
  t.strictSame(tracksOf(fourth), ['latest'])
  t.equal(fourth.offset.cursor, first.offset.cursor, 'it does not go back')
})

t.test('a full window of which nothing is known tells of a gap', async (t) => {
  const { offset } = await read(playsBefore(noonMs, 50))
  const history = playsBefore(noonMs + 86_400_000, 50)
  const gap = { after: String(noonMs), before: String(noonMs + 86_400_000 - 49 * 210_000) }
  for (const sent of [offset, { cursor: offset.cursor }]) {
    const got = await read(history, sent, { nowMs: noonMs + 86_400_000 })
    t.strictSame(tracksOf(got), oldestFirst(history))
    t.strictSame(got.gap, gap)
    t.match(got.warnings, [/may have been lost/])
    t.equal(got.hasMore, false)
    const next = await read(history, got.offset, { nowMs: noonMs + 86_400_000 })
    quiet(t, next, got.offset)
  }
})

t.test('a window with one known play, or with room left, tells of no gap', async (t) => {
  const before = playsBefore(noonMs, 50)
  const { offset } = await read(before)
  const nowMs = noonMs + 86_400_000
  const since = playsBefore(nowMs, 49)
  for (const history of [[...since, ...before.slice(0, 1)], since]) {
    const got = await read(history, offset, { nowMs })
    t.equal(got.records.length, 49)
    t.equal(got.gap, undefined)
    t.strictSame(got.warnings, [])
  }
})

t.test('items that are no plays fill the window of a gap', async (t) => {
  const nowMs = noonMs + 86_400_000
  const got = await read([...playsBefore(nowMs, 49), null], { cursor: String(noonMs) }, { nowMs })
  t.match(got, { skipped: 1, gap: { after: String(noonMs) } })
  const nothing = await read(Array(50).fill(null), { cursor: String(noonMs) })
  quiet(t, nothing, { cursor: String(noonMs) })
  t.equal(nothing.skipped, 50)
})

t.test('a play that is shown twice in a full window does not hide a gap', async (t) => {
  const nowMs = noonMs + 86_400_000
  const history = playsBefore(nowMs, 49)
  const twice = [...history.slice(0, 9), ...history.slice(8)]
  const got = await read(twice, { cursor: String(noonMs) }, { nowMs })
  t.equal(got.records.length, 49)
  t.match(got.gap, { after: String(noonMs) })
})

t.test('two plays of one millisecond are given once each, together or not', async (t) => {
  const [first, second] = [playAt(noonMs, 'first'), playAt(noonMs, 'second')]
  const together = await read([second, first])
  t.strictSame(tracksOf(together), ['first', 'second'])
  quiet(t, await read([second, first], together.offset), together.offset)
  const one = await read([first])
  const other = await read([second, first], one.offset)
  t.strictSame(tracksOf(other), ['second'])
  t.equal(other.offset.cursor, one.offset.cursor)
  quiet(t, await read([second, first], other.offset), other.offset)
})

t.test('the cursor is the instant of the newest play, not of the greatest text', async (t) => {
  const history = [
    { played_at: '2026-11-20T12:00:00Z', track: 'whole' },
    { played_at: '2026-11-20T12:00:00.123Z', track: 'fraction' },
  ]
  const got = await read(history)
  t.equal(got.offset.cursor, '1795176000123')
  t.strictSame(got.records, [history[0], history[1]], 'played_at is as Spotify wrote it')
})

t.test('a play without a date is skipped, and no NaN gets anywhere', async (t) => {
  for (const played_at of [null, 'rubbish']) {
    const history = [{ played_at, track: 'undated' }, ...playsBefore(noonMs, 19)]
    const got = await read(history, {}, { most: 10 })
    t.equal(got.records.length, 19)
    t.equal(got.skipped, 1)
    t.match(got.warnings, [/played_at/])
    t.equal(got.offset.cursor, String(noonMs))
    t.ok(got.asked.every((before) => before === null || Number.isSafeInteger(before)))
  }
})

t.test('to page back gives the rows of one page, each once', async (t) => {
  const history = playsBefore(noonMs, 50)
  for (const most of [1, 2, 7, 49]) {
    const got = await read(history, {}, { most })
    t.strictSame(tracksOf(got), oldestFirst(history))
    t.strictSame(got.offset, (await read(history)).offset)
    t.equal(got.pages, 1)
  }
})

t.test('an interruption on the way back keeps the rows, and the rest comes next', async (t) => {
  const history = playsBefore(noonMs, 50)
  const second = { most: 20, fail: (nth: number) => failAt(2, nth) }
  const got = await read(history, {}, second)
  t.strictSame(tracksOf(got), oldestFirst(history.slice(0, 20)))
  t.match(got, { hasMore: true, interrupted: upstreamError, gap: undefined })
  t.equal(got.offset.cursor, String(noonMs))
  const rest = await read(history, got.offset, { most: 20 })
  t.strictSame(tracksOf(rest), oldestFirst(history.slice(20)))
  t.match(rest, { hasMore: false, gap: undefined })
  quiet(t, await read(history, rest.offset, { most: 20 }), rest.offset)
})

t.test('an interruption before anything new is the failure itself', async (t) => {
  const history = playsBefore(noonMs, 50)
  const { offset } = await read(history.slice(0, 20))
  await t.rejects(read(history, offset, { most: 20, fail: (nth) => failAt(2, nth) }), upstreamError)
  await t.rejects(read(history, offset, { fail: (nth) => failAt(1, nth) }), upstreamError)
})

t.test('a failure that no retry mends is thrown, though there were rows', async (t) => {
  const lasting = new ConnectorError('insufficient-scope', 'A scope is missing.')
  const fail = (nth: number) => failAt(2, nth, lasting)
  await t.rejects(read(playsBefore(noonMs, 50), {}, { most: 20, fail }), lasting)
})

t.test('a shorter window forgets nothing', async (t) => {
  const history = playsBefore(noonMs, 50)
  const { offset } = await read(history)
  const newer = playAt(noonMs + 210_000, 'newer')
  const short = await read([newer, ...history.slice(0, 2)], offset)
  t.strictSame(tracksOf(short), ['newer'])
  t.equal(unpack(String(short.offset.recent)).length, 51)
  const whole = [newer, ...history.slice(0, 49)]
  quiet(t, await read(whole, short.offset), short.offset)
})

t.test('what a full memory forgot comes again rather than never', async (t) => {
  const forgotten = playAt(noonMs - 30 * 86_400_000, 'old')
  const known = playsBefore(noonMs, 133).map((item) => ({
    atMs: Date.parse(String(item.played_at)),
    tag: tagOf(String(item.track)),
  }))
  const sent = { cursor: String(noonMs), recent: pack([], known) }
  const got = await read([...playsBefore(noonMs, 49), forgotten], sent)
  t.strictSame(tracksOf(got), ['old'])
  quiet(t, await read([...playsBefore(noonMs, 49), forgotten], got.offset), got.offset)
})

t.test('an offset without fields is a first read', async (t) => {
  t.strictSame(readPlaysOffset({}), { sent: {}, cursorMs: null, known: null })
})

t.test('what is no checkpoint is an invalid offset', async (t) => {
  const recent = pack([{ atMs: noonMs, tag: 1 }], [])
  const refused: Offset[] = [
    { cursor: noonMs },
    { cursor: '' },
    { cursor: '-1' },
    { cursor: '1.5' },
    { cursor: ' 1795176000123' },
    { cursor: '1795176000123\n' },
    { cursor: 'NaN' },
    { cursor: '1'.repeat(16) },
    { cursor: null },
    { recent },
    { cursor: null, recent },
    { cursor: '1795176000123', recent: null },
    { cursor: '1795176000123', recent: [] },
    { cursor: '1795176000123', recent: '' },
    { cursor: '1795176000123', recent: 'rubbish' },
    { cursor: '1795176000123', position: 50 },
    { table: 'recently_played', connection: 'default', cursor: '1795176000123' },
    { position: 50 },
  ]
  for (const sent of refused) {
    t.throws(() => readPlaysOffset(sent), { code: 'invalid-offset' }, JSON.stringify(sent))
  }
})

function failAt(place: number, nth: number, failure: Error = upstreamError): void {
  if (nth === place) throw failure
}
