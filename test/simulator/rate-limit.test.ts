import t from 'tap'
import { RateLimit } from '../../src/simulator/rate-limit.ts'
import { start, stillClock } from './start.ts'

t.test('a window that rolls: each request frees its place when it leaves the window', async (t) => {
  const limit = new RateLimit({ requests: 2, windowMs: 30_000 })
  t.equal(limit.take(0), null)
  t.equal(limit.take(10_000), null)
  t.equal(limit.take(10_500), 20)
  t.equal(limit.take(29_999), 1)
  t.equal(limit.take(30_000), null)
  t.equal(limit.take(30_000), 10)
  t.equal(limit.take(40_000), null)
})

t.test('too many requests are refused with the seconds to wait, by the clock given', async (t) => {
  const clock = stillClock(Date.UTC(2026, 10, 24))
  const { simulator, get } = await start(t, { clock, rateLimit: { requests: 3, windowMs: 30_000 } })
  for (let request = 0; request < 3; request++) t.equal((await get('/me')).status, 200)
  clock.nowMs += 12_500
  const refused = await get('/me')
  t.equal(refused.status, 429)
  t.equal(refused.headers.get('retry-after'), '18')
  t.same(await refused.json(), { error: { status: 429, message: 'API rate limit exceeded' } })
  clock.nowMs += 17_500
  t.equal((await get('/me')).status, 200)
  t.equal(simulator.stats.api, 5)
})
