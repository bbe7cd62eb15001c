import t from 'tap'
import { makeLibrary, makePlay, makeTrack } from '../../src/simulator/library.ts'
import type { Play } from '../../src/simulator/objects.ts'
import { build } from '../helpers/build.ts'

type Offset = Record<string, string>

const nowMs = Date.UTC(2026, 10, 24, 12)
const minuteMs = 60_000

/** Plays so many minutes ago. */
const playsAgo = (...minutes: number[]) =>
  minutes.map((ago) => makePlay(nowMs - ago * minuteMs, makeTrack(ago)))

/** A service over these plays, and a way to read them from an offset on. */
async function start(t: Parameters<typeof build>[0], plays: Play[]) {
  const library = { ...makeLibrary({ tracks: 0 }), plays }
  const built = await build(t, { simulator: { library } })
  const read = async (offset?: Offset) => {
    const query = offset ? `?offset=${encodeURIComponent(JSON.stringify(offset))}` : ''
    const { status, body, text } = await built.get(`/tables/recently_played/read${query}`)
    return { status, body, text, playedAt: (body.records ?? []).map(playedAtOf) }
  }
  return { ...built, library, read }
}

const playedAtOf = ({ played_at }: { played_at: string }) => played_at
const cursorOf = ({ cursor }: Offset) => Number(cursor)

t.test(
  'an offset moves exactly when there are rows, so no batch of rows stands still',
  async (t) => {
    const { library, read } = await start(t, playsAgo(10, 20, 30, 60))
    const first = (await read()).body
    t.equal(first.records.length, 4)
    t.equal(first.has_more, false)

    t.test('nothing new: no rows, and the offset that was sent, to the letter', async (t) => {
      // In another order of its keys, too.
      const sent = { recent: first.offset.recent, cursor: first.offset.cursor }
      const { body, text } = await read(sent)
      t.strictSame(body, { records: [], offset: sent, has_more: false })
      t.ok(text.includes(JSON.stringify(sent)))
    })

    t.test('a late play, older than the cursor: one row, and an offset that differs', async (t) => {
      const [late] = playsAgo(45)
      library.plays.push(late as Play)
      const { body, playedAt } = await read(first.offset)
      t.strictSame(playedAt, [late?.played_at])
      t.notSame(body.offset, first.offset)
      t.equal(body.offset.cursor, first.offset.cursor)
      const after = await read(body.offset)
      t.strictSame(after.body, { records: [], offset: body.offset, has_more: false }, 'then quiet')
    })

    t.test('a loop until the offset stops changing ends', async (t) => {
      const seen: string[] = []
      let offset: Offset = {}
      for (let rounds = 1; rounds <= 10; rounds++) {
        const { body, playedAt } = await read(offset)
        seen.push(...playedAt)
        if (JSON.stringify(body.offset) === JSON.stringify(offset)) break
        offset = body.offset
      }
      t.strictSame((await read(offset)).body.offset, offset)
      t.strictSame(seen.sort(), library.plays.map(playedAtOf).sort(), 'each play once')
    })

    t.test('an offset of a cursor alone is taken, and gives what is newer', async (t) => {
      const cursor = String(nowMs - 25 * minuteMs)
      const { status, playedAt, body } = await read({ cursor })
      t.equal(status, 200)
      t.strictSame(playedAt, playsAgo(20, 10).map(playedAtOf))
      t.strictSame((await read(body.offset)).playedAt, [])
    })
  },
)

t.test('a history that is older than the checkpoint does not move it back', async (t) => {
  const { library, read } = await start(t, playsAgo(10, 20, 30))

  const sent = { cursor: String(nowMs) }
  const { status, body } = await read(sent)
  t.equal(status, 200)
  t.strictSame(body, { records: [], offset: sent, has_more: false })

  const first = (await read()).body
  library.plays = playsAgo(20, 30, 40, 50)
  const behind = await read(first.offset)
  t.strictSame(behind.playedAt, playsAgo(50, 40).map(playedAtOf), 'those that came late')
  t.equal(behind.body.offset.cursor, first.offset.cursor)
  t.notOk('gap' in behind.body)
  library.plays = playsAgo(5, 10, 20, 30, 40, 50)
  const caughtUp = await read(behind.body.offset)
  t.strictSame(caughtUp.playedAt, playsAgo(5).map(playedAtOf), 'nothing comes again')
  t.ok(cursorOf(caughtUp.body.offset) > cursorOf(first.offset))
})

t.test('played_at with and without a fraction are ordered by their instants', async (t) => {
  const playedAt = ['2026-11-20T12:00:00Z', '2026-11-20T12:00:00.123Z', '2026-11-20T11:00:00.5Z']
  const { read } = await start(
    t,
    playedAt.map((at, n) => makePlay(at, makeTrack(n))),
  )
  const { body, playedAt: rows } = await read()
  t.equal(body.offset.cursor, '1795176000123')
  t.strictSame(rows, [playedAt[2], playedAt[0], playedAt[1]], 'as Spotify wrote them')
})

t.test('a play whose played_at is no date is skipped, counted and warned of', async (t) => {
  const noDates = [null, 'yesterday', '', 5] as unknown as string[]
  const { simulator, read, log } = await start(t, [
    ...playsAgo(10),
    ...noDates.map((at, n) => ({ ...makePlay(nowMs, makeTrack(n)), played_at: at })),
    ...playsAgo(20, 30),
  ])
  // Short pages, so that it pages back.
  simulator.faults.add({
    on: () => true,
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'page-size', size: 4 },
  })
  const { status, body, playedAt, text } = await read()
  t.equal(status, 200)
  t.strictSame(playedAt, playsAgo(30, 20, 10).map(playedAtOf))
  t.equal(body.skipped, noDates.length)
  t.equal(log.filter(({ undated }) => undated === noDates.length).length, 1, 'one warning')
  const befores = simulator.stats.requests.map(({ query }) => query.before)
  t.ok(befores.some((before) => before !== undefined))
  t.notMatch(JSON.stringify(befores) + text, /NaN/)
})
