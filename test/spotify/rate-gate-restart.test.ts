import t from 'tap'
import { FakeClock, noonMs } from '../helpers/fake-clock.ts'
import { openGate } from '../helpers/gate.ts'
import { memoryStore } from '../helpers/spotify.ts'

const tracks = '/me/tracks'
const playlists = '/me/playlists'
const hourMs = 3600_000

t.test('a ban is stored at once, and holds after a restart', async (t) => {
  const store = memoryStore(t)
  const clock = new FakeClock()
  const before = openGate(t, { store, clock })
  before.refuse({ retryAfterMs: hourMs })
  before.refuse({ endpoint: playlists, quota: true, retryAfterMs: 13 * hourMs })
  t.same(store.bans('app'), [
    { endpoint: null, untilMs: noonMs + hourMs },
    { endpoint: playlists, untilMs: noonMs + 13 * hourMs },
  ])

  await clock.advance(10_000)
  const after = openGate(t, { store, clock })
  await t.rejects(after.enter(tracks), { code: 'rate-limited', retryAfterS: 3590 })
  await clock.advance(hourMs)
  t.equal(await after.enter(tracks), clock.now())
  await t.rejects(after.enter(playlists), { code: 'quota-exceeded' })
})

t.test('a ban of the token endpoint is no quota, before a restart and after', async (t) => {
  const store = memoryStore(t)
  const before = openGate(t, { store })
  before.refuse({ endpoint: '/api/token', scope: 'endpoint', retryAfterMs: hourMs })
  t.equal(await before.enter(tracks), noonMs)
  for (const { enter } of [before, openGate(t, { store })]) {
    await t.rejects(enter('/api/token', { bucket: false }), { code: 'rate-limited' })
  }
})

t.test('the ban of another app does not hold', async (t) => {
  const store = memoryStore(t)
  openGate(t, { store, clientId: 'other' }).refuse({ retryAfterMs: hourMs })
  t.equal(await openGate(t, { store }).enter(tracks), noonMs)
})

t.test('a ban that can not be stored holds all the same, and is warned of', async (t) => {
  const store = {
    bans: () => [],
    saveBan: () => {
      throw new Error('the disk is full')
    },
  }
  const { clock, refuse, enter, shutS, log } = openGate(t, { store })
  refuse()
  t.equal(shutS(), 5)
  t.match(log.of('warn'), [/limits/, /could not be stored/])
  const entered = enter(tracks)
  await clock.advance(5_000)
  t.equal(await entered, noonMs + 5_000)
})

t.test('a clock that was wrong when a ban came does not prolong it', async (t) => {
  const yearMs = 365 * 24 * hourMs
  const store = memoryStore(t)
  const clock = new FakeClock(noonMs + 4 * yearMs)
  const gate = openGate(t, { store, clock })
  gate.refuse({ retryAfterMs: 3_000 })
  clock.setTo(noonMs)
  await t.rejects(gate.enter(tracks, { waitMs: 0 }), { code: 'rate-limited', retryAfterS: 3 })
  const after = openGate(t, { store, clock })
  t.equal(await after.enter(tracks), noonMs)
})
