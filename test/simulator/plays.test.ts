import t from 'tap'
import { makePlay, makeTrack } from '../../src/simulator/library.ts'
import { instantOf, newestFirst, playsUntil } from '../../src/simulator/plays.ts'

const nowMs = Date.UTC(2026, 10, 24, 12)
const hourMs = 3_600_000

t.test('plays lie three to four minutes apart, newest first, none in the future', async (t) => {
  const instants = playsUntil(nowMs, 300).map(instantOf)
  t.equal(instants.length, 300)
  t.ok(instants.every((instant) => instant <= nowMs))
  const gaps = instants.slice(1).map((instant, at) => (instants[at] ?? 0) - instant)
  t.ok(
    gaps.every((gap) => gap >= 179_000 && gap <= 241_000),
    String(gaps),
  )
})

t.test('who asks later finds the plays of before, and those since', async (t) => {
  const before = playsUntil(nowMs, 50)
  const after = playsUntil(nowMs + hourMs, 80)
  const fresh = after.filter((play) => instantOf(play) > nowMs)
  t.ok(fresh.length >= 16 && fresh.length <= 19, String(fresh.length))
  t.same(after.slice(fresh.length, fresh.length + 50), before)
})

t.test('some times have no fraction, most have milliseconds', async (t) => {
  const times = playsUntil(nowMs, 200).map(({ played_at }) => played_at)
  const whole = times.filter((time) => /T\d\d:\d\d:\d\dZ$/.test(time))
  t.ok(whole.length > 10 && whole.length < 60, String(whole.length))
  t.ok(times.every((time) => /T\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(time)))
})

t.test('plays are put in order of their instants, not of their text', async (t) => {
  const at = (time: string) => makePlay(time, makeTrack(1))
  const whole = at('2026-11-20T12:00:00Z')
  const fraction = at('2026-11-20T12:00:00.123Z')
  const unreadable = at('yesterday')
  const late = at('2026-11-20T13:00:00Z')
  t.same(newestFirst([whole, unreadable, fraction, late]), [late, fraction, whole, unreadable])
})
