import t from 'tap'
import { type Library, makeLibrary } from '../../src/simulator/library.ts'
import { serverError, tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { holdTogether, patient } from '../helpers/hold.ts'
import { readStream, recordsOf } from '../helpers/read-stream.ts'
import { behindPage, ninePages, rowsAPage, savedTracks } from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'
const forEver = Number.POSITIVE_INFINITY
const idsOf = (rows: { track: { id: string } }[]) => rows.map(({ track }) => track.id)
const saved = ({ tracks }: Library) => tracks.map((item) => item?.track?.id)

t.test('the first rows are there before the second page is answered', async (t) => {
  const { simulator, listen } = await build(t, {
    simulator: { library: ninePages },
    timeouts: patient,
  })
  const held = holdTogether(simulator, behindPage(1), { count: 8 })
  const stream = await readStream(t, await listen(), tracks)
  const first = await stream.upTo('checkpoint')
  await held.arrived
  t.equal(stream.status, 200)
  t.equal(stream.headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
  t.equal(recordsOf(first).length, rowsAPage)
  t.equal(simulator.stats.inFlight, 8)
  held.release()
  const rest = await stream.rest()
  t.strictSame(idsOf(recordsOf([...first, ...rest])), saved(ninePages))
  t.strictSame(rest.at(-1), { end: { offset: null, has_more: false, records: 442, pages: 9 } })
})

t.test('a failure before the first line is a plain problem with its status', async (t) => {
  const { simulator, listen } = await build(t, { env: { STREAM_WAIT_BUDGET_MS: '1000' } })
  const port = await listen()
  const body = { error: { status: 403, message: 'Spotify is unavailable in this country' } }
  const failures = [
    ['upstream-error', serverError(502), undefined],
    ['account-not-allowed', { kind: 'status', status: 403, body }, undefined],
    // The last one: it keeps the gate shut.
    ['rate-limited', tooManyRequests(120), '120'],
  ] as const
  for (const [code, fault, retryAfter] of failures) {
    simulator.faults.clear()
    simulator.faults.add({ on: '/me/tracks', times: forEver, fault })
    const answer = await fetch(`http://127.0.0.1:${port}${tracks}?format=ndjson`)
    const headers = Object.fromEntries(answer.headers)
    const { status } = answer
    assertProblem(t, { status, headers, text: await answer.text() }, code)
    t.equal(headers['retry-after'], retryAfter)
  }
})

t.test('a failure that no retry mends is the last line, behind the rows before it', async (t) => {
  const { simulator, listen, log } = await build(t, { simulator: { library: savedTracks } })
  const body = { error: { status: 403, message: 'Spotify is unavailable in this country' } }
  simulator.faults.add({
    on: behindPage(2),
    times: forEver,
    fault: { kind: 'status', status: 403, body },
  })
  const stream = await readStream(t, await listen(), tracks)
  const lines = await stream.rest()
  t.equal(stream.status, 200)
  t.equal(recordsOf(lines).length, 2 * rowsAPage)
  t.match(lines.at(-2), { checkpoint: { records: rowsAPage } })
  t.match(lines.at(-1), {
    error: {
      code: 'account-not-allowed',
      status: 403,
      retryable: false,
      detail: /unavailable in this country/,
      instance: tracks,
      request_id: stream.headers.get('x-request-id'),
    },
  })
  t.ok(log.some(({ code }) => code === 'account-not-allowed'))
})

t.test('a wait beyond the budget ends the stream with where to go on', async (t) => {
  const clock = new FakeClock()
  const { simulator, listen, get } = await build(t, {
    simulator: { library: savedTracks },
    clock,
    env: { STREAM_WAIT_BUDGET_MS: '60000' },
  })
  const port = await listen()
  // A page that is in flight beside the one refused may be answered still.
  simulator.faults.add({ on: behindPage(2), times: forEver, fault: tooManyRequests(61) })
  const lines = await (await readStream(t, port, tracks)).rest()
  const { end } = lines.at(-1)
  t.match(end, {
    has_more: true,
    retry_after_s: 61,
    interrupted: { code: 'rate-limited', status: 429, retryable: true, retry_after_s: 61 },
    records: 2 * rowsAPage,
    pages: 2,
  })
  t.equal(new URL(end.next, 'http://x').searchParams.get('offset'), JSON.stringify(end.offset))
  t.strictSame(lines.at(-2), { checkpoint: { offset: end.offset, records: rowsAPage } })

  t.match(await get(end.next), { status: 429, headers: { 'retry-after': '61' } })
  simulator.faults.clear()
  await clock.advance(61_000)
  const rest = await (await readStream(t, port, end.next)).rest()
  t.strictSame(idsOf(recordsOf([...lines, ...rest])), saved(savedTracks))
  t.match(rest.at(-1), { end: { offset: null, has_more: false } })
})

t.test('a list that is computed anew in the middle of a stream is an error', async (t) => {
  const { simulator, listen } = await build(t, { simulator: { library: makeLibrary() } })
  const path = '/me/top/tracks'
  simulator.faults.beforeAnswer(path, (_request, nth) => {
    if (nth === 3) simulator.library.topTracks = makeLibrary({ seed: 1 }).topTracks
  })
  const stream = await readStream(t, await listen(), '/tables/top_tracks/read')
  const lines = await stream.rest()
  t.equal(stream.status, 200)
  t.ok(recordsOf(lines).length > 0)
  t.match(lines.at(-1), {
    error: { code: 'snapshot-changed', status: 409, retryable: false, restart: true },
  })
})

t.test('a service that shuts down lets a stream end', async (t) => {
  const { simulator, listen, close } = await build(t, {
    simulator: { library: savedTracks },
    timeouts: patient,
  })
  const held = holdTogether(simulator, behindPage(2), { count: 3 })
  const port = await listen()
  const stream = await readStream(t, port, tracks)
  await held.arrived
  const closed = close()
  const refused = await fetch(`http://127.0.0.1:${port}/readyz`)
  t.match(await refused.json(), { status: 503, code: 'shutting-down' })
  held.release()
  const lines = await stream.rest()
  t.strictSame(idsOf(recordsOf(lines)), saved(savedTracks))
  t.match(lines.at(-1), { end: { offset: null, has_more: false, records: 237 } })
  await closed
})
