import t from 'tap'
import { noonMs } from '../helpers/fake-clock.ts'
import { openGate } from '../helpers/gate.ts'

const tracks = '/me/tracks'
const playlists = '/me/playlists'

t.test('an open gate lets out at once', async (t) => {
  const { gate, clock, enter } = openGate(t)
  t.equal(await enter(tracks), clock.now())
  t.equal(gate.isShut(tracks), false)
  t.same(gate.state(), { untilMs: null, endpoints: [] })
})

t.test('a 429 shuts every endpoint for as long as it says', async (t) => {
  const { gate, clock, refuse, enter } = openGate(t)
  refuse({ retryAfterMs: 7_000 })
  const endsAtMs = noonMs + 7_000
  const entered = [tracks, playlists].map((endpoint) => enter(endpoint))
  const token = enter('/api/token', { bucket: false })
  t.same(gate.state(), { untilMs: endsAtMs, endpoints: [] })
  await clock.advance(6_999)
  t.equal(gate.isShut(playlists), true)
  await clock.advance(1)
  t.equal(gate.isShut(playlists), false)
  t.same(await Promise.all([...entered, token]), [endsAtMs, endsAtMs, endsAtMs])
})

t.test('without a usable Retry-After it is 5 s, doubling to an hour', async (t) => {
  const { clock, shutS, refuse } = openGate(t)
  const waitsS: number[] = []
  for (let refused = 0; refused < 12; refused++) {
    refuse()
    waitsS.push(shutS())
    await clock.advance(shutS() * 1000)
  }
  t.same(waitsS, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600])
})

t.test('for a quota it is 60 s, doubling', async (t) => {
  const { gate, clock, refuse } = openGate(t)
  for (const expectedS of [60, 120, 240]) {
    refuse({ quota: true })
    const untilMs = clock.now() + expectedS * 1000
    t.same(gate.state(), { untilMs: null, endpoints: [{ endpoint: tracks, untilMs }] })
    await clock.advance(expectedS * 1000)
  }
})

t.test('an answer that is no 429 begins a new series', async (t) => {
  const { gate, clock, shutS, refuse } = openGate(t)
  for (const _ of [1, 2]) {
    refuse()
    await clock.advance(shutS() * 1000)
  }
  gate.succeeded({ endpoint: playlists, scope: 'everything', sentAtMs: clock.now() })
  refuse()
  t.equal(shutS(), 5)
})

t.test('a late answer to what was sent before the ban does not open the gate', async (t) => {
  const { gate, clock, shutS, refuse } = openGate(t)
  const sentAtMs = clock.now()
  await clock.advance(100)
  refuse()
  gate.succeeded({ endpoint: tracks, scope: 'everything', sentAtMs })
  t.equal(shutS(), 5)
  await clock.advance(5_000)
  refuse()
  t.equal(shutS(), 10, 'nor does it end the series')
})

t.test('who is refused again and again after waiting as told waits longer', async (t) => {
  const { clock, shutS, refuse } = openGate(t)
  const waitsS: number[] = []
  for (let refused = 0; refused < 10; refused++) {
    refuse({ retryAfterMs: 1_000 })
    waitsS.push(shutS())
    await clock.advance(shutS() * 1000)
  }
  t.same(waitsS, [1, 1, 1, 2, 4, 8, 16, 32, 60, 60])
})

t.test('eight refusals of requests that were sent together are one', async (t) => {
  const { clock, shutS, refuse, log, enter } = openGate(t, { requestsPerMinute: 60, burst: 100 })
  const sentAtMs = clock.now()
  await clock.advance(80)
  for (let page = 0; page < 8; page++) {
    refuse({ sentAtMs })
    await clock.advance(5)
  }
  t.equal(shutS(), 5 - 0.005, 'the last one came 5 ms ago and is no second guess')
  const slow = [1, 2, 3].map(() => enter(tracks))
  await clock.advance(20_000)
  const [first = 0, second = 0] = await Promise.all(slow)
  t.ok(second - first < 2_000, 'the speed was halved once')
  t.equal(log.of('warn').length, 8)
})

t.test('a refusal of what was sent in the very millisecond of another is the same', async (t) => {
  const { shutS, refuse } = openGate(t)
  refuse()
  refuse()
  t.equal(shutS(), 5)
})

t.test('of refusals that come together the longest counts', async (t) => {
  const { clock, shutS, refuse } = openGate(t)
  const sentAtMs = clock.now()
  await clock.advance(50)
  for (const retryAfterMs of [3_000, 120_000, 1_000, null]) refuse({ sentAtMs, retryAfterMs })
  t.equal(shutS(), 120)
})

t.test('a quota shuts the one endpoint that said so', async (t) => {
  const { gate, clock, refuse, enter } = openGate(t)
  refuse({ endpoint: playlists, quota: true, retryAfterMs: 48_925_000 })
  t.equal(gate.isShut(playlists), true)
  t.equal(await enter(tracks), clock.now())
  await t.rejects(enter(playlists), {
    code: 'quota-exceeded',
    retryable: true,
    retryAfterS: 48_925,
    message: /\/me\/playlists.*2026-11-26T01:35:25\.000Z/,
  })
})

t.test('of a ban of everything and a quota the longer counts', async (t) => {
  const { clock, refuse, enter } = openGate(t)
  refuse({ retryAfterMs: 30_000 })
  refuse({ endpoint: playlists, quota: true, retryAfterMs: 60_000 })
  await t.rejects(enter(playlists), { code: 'quota-exceeded', retryAfterS: 60 })
  await clock.advance(30_000)
  refuse({ retryAfterMs: 90_000 })
  await t.rejects(enter(playlists), { code: 'rate-limited', retryAfterS: 90 })
})

t.test('a quota leaves the speed of the others as it is', async (t) => {
  const { refuse, clock, enter } = openGate(t, { requestsPerMinute: 60, burst: 2 })
  refuse({ endpoint: playlists, quota: true })
  t.same([await enter(tracks), await enter(tracks)], [clock.now(), clock.now()])
})

t.test('a wait that the budget does not allow fails at once', async (t) => {
  const { clock, refuse, enter } = openGate(t)
  refuse({ retryAfterMs: 20_001 })
  await t.rejects(enter(tracks), {
    code: 'rate-limited',
    retryable: true,
    retryAfterS: 21,
    message: /2026-11-25T12:00:20\.001Z/,
  })
  const waited = enter(tracks, { waitMs: 20_001 })
  await clock.advance(20_001)
  t.equal(await waited, clock.now())
})

t.test('when to come back is never less than a second', async (t) => {
  const { clock, refuse, enter } = openGate(t)
  refuse({ retryAfterMs: 5_000 })
  await clock.advance(4_999)
  await t.rejects(enter(tracks, { waitMs: 0 }), { code: 'rate-limited', retryAfterS: 1 })
})

t.test('a ban that has grown meanwhile is waited for, or not, as a whole', async (t) => {
  const { clock, refuse, enter } = openGate(t)
  const sentAtMs = clock.now()
  refuse({ retryAfterMs: 5_000 })
  const patient = enter(tracks, { waitMs: 15_000 })
  const refused = t.rejects(enter(tracks, { waitMs: 9_000 }), { code: 'rate-limited' })
  await clock.advance(1_000)
  refuse({ sentAtMs, retryAfterMs: 12_000 })
  await clock.advance(12_000)
  t.equal(await patient, noonMs + 13_000)
  await refused
})
