import t from 'tap'
import { noonMs } from '../helpers/fake-clock.ts'
import { openGate } from '../helpers/gate.ts'

const tracks = '/me/tracks'
const playlists = '/me/playlists'
const plays = '/me/player/recently-played'

t.test('a burst goes out at once, the others as the bucket refills', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 60, burst: 3 })
  const entered = Array.from({ length: 6 }, () => enter(tracks))
  await clock.advance(3_000)
  const afterMs = (await Promise.all(entered)).map((atMs) => atMs - noonMs)
  t.same(afterMs, [0, 0, 0, 1_000, 2_000, 3_000])
})

t.test('0 requests a minute means no bucket', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 0, burst: 1 })
  const entered = await Promise.all(Array.from({ length: 1_000 }, () => enter(tracks)))
  t.ok(entered.every((atMs) => atMs === clock.now()))
})

t.test('a 429 empties the bucket and halves its speed, which climbs back', async (t) => {
  const { clock, enter, refuse } = openGate(t, { requestsPerMinute: 60, burst: 100 })
  refuse({ retryAfterMs: 1_000 })
  const slow = enter(tracks)
  await clock.advance(5_000)
  const waitedMs = (await slow) - noonMs
  t.ok(waitedMs > 1_900 && waitedMs <= 2_000, `${waitedMs} ms, at half of one a second`)

  await clock.advance(10 * 60_000)
  const entered = Array.from({ length: 102 }, () => enter(tracks))
  await clock.advance(5_000)
  const afterMs = (await Promise.all(entered)).map((atMs) => atMs - noonMs - 605_000)
  t.same(afterMs.slice(-3), [0, 1_000, 2_000])
})

t.test('token requests do not wait for the bucket', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 1, burst: 1 })
  await enter(tracks)
  t.equal(await enter('/api/token', { bucket: false }), clock.now())
})

t.test('a wait for the bucket that the budget does not allow fails at once', async (t) => {
  const { enter } = openGate(t, { requestsPerMinute: 60, burst: 2 })
  for (let place = 0; place < 3; place++) void enter(tracks)
  await t.rejects(enter(tracks, { waitMs: 1_500 }), {
    code: 'rate-limited',
    retryAfterS: 2,
    message: /SPOTIFY_REQUESTS_PER_MINUTE.*\/me\/tracks/,
  })
})

t.test('plays overtake what waits for the bucket', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 60, burst: 1 })
  await enter(tracks)
  const order: string[] = []
  const come = (name: string, isPlays: boolean) =>
    enter(isPlays ? plays : tracks, { plays: isPlays }).then(() => order.push(name))
  const all = [come('a', false), come('b', false), come('plays', true), come('more plays', true)]
  await clock.advance(4_000)
  await Promise.all(all)
  t.same(order, ['plays', 'more plays', 'a', 'b'])
})

t.test('plays go first when a ban ends, with and without a bucket', async (t) => {
  for (const requestsPerMinute of [0, 60]) {
    const { clock, enter, refuse } = openGate(t, { requestsPerMinute, burst: 100 })
    refuse({ retryAfterMs: 5_000 })
    const order: string[] = []
    const all = ['a', 'b', 'plays'].map((name) =>
      enter(tracks, { plays: name === 'plays' }).then(() => order.push(name)),
    )
    await clock.advance(20_000)
    await Promise.all(all)
    t.same(order, ['plays', 'a', 'b'])
  }
})

t.test('plays that come at the same moment cost nobody its turn', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 60, burst: 10 })
  const entered = [enter(tracks, { waitMs: 0 }), enter(plays, { plays: true, waitMs: 0 })]
  await clock.advance(1)
  t.ok((await Promise.all(entered)).every((atMs) => atMs <= noonMs + 1))
})

t.test('who waits for the quota of one endpoint keeps nobody else waiting', async (t) => {
  for (const requestsPerMinute of [0, 600]) {
    const { clock, enter, refuse } = openGate(t, { requestsPerMinute, burst: 10 })
    refuse({ endpoint: playlists, quota: true, retryAfterMs: 60_000 })
    const waiting = enter(playlists, { waitMs: 600_000 })
    t.equal(await enter(tracks), noonMs)
    await clock.advance(60_000)
    t.equal(await waiting, noonMs + 60_000)
  }
})

t.test('who is aborted leaves the queue, and holds nobody up', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 60, burst: 1 })
  await enter(tracks)
  const controller = new AbortController()
  const reason = new Error('the reader went away')
  const aborted = t.rejects(enter(tracks, { signal: controller.signal }), reason)
  const next = enter(tracks)
  await clock.advance(500)
  controller.abort(reason)
  await aborted
  await clock.advance(2_500)
  t.equal(await next, noonMs + 2_000)
  t.equal(clock.sleeping, 0)
  t.equal(await enter(tracks), noonMs + 3_000, 'the queue is empty')
})

t.test('who is aborted already is not let out', async (t) => {
  const { enter } = openGate(t, { requestsPerMinute: 60, burst: 1 })
  const reason = new Error('the reader went away')
  await t.rejects(enter(tracks, { signal: AbortSignal.abort(reason) }), reason)
  t.equal(await enter(tracks), noonMs, 'and has used nothing up')
})

t.test('who fails for want of budget leaves the queue as well', async (t) => {
  const { clock, enter } = openGate(t, { requestsPerMinute: 60, burst: 1 })
  await enter(tracks)
  await t.rejects(enter(tracks, { waitMs: 10 }), { code: 'rate-limited' })
  const next = enter(tracks)
  await clock.advance(1_000)
  t.equal(await next, noonMs + 1_000)
})
