import t from 'tap'
import { tooManyRequests } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'

const tracks = '/tables/tracks/read'

// With the machine's own clock: a wait that is none would be a loop of 429s.
for (const [name, retryAfter] of [
  ['is 0', '0'],
  ['is missing', undefined],
  ['is rubbish', 'soon'],
  ['is a date', new Date(Date.now() + 90_000).toUTCString()],
] as const) {
  t.test(`a 429 for ever whose Retry-After ${name} is told within 3 s`, async (t) => {
    const { get, simulator } = await build(t, { env: { READ_WAIT_BUDGET_MS: '1000' } })
    simulator.faults.add({
      on: '/me/tracks',
      times: Number.POSITIVE_INFINITY,
      fault: tooManyRequests(retryAfter),
    })
    const startMs = performance.now()
    const { status, headers, body } = await get(tracks)
    const seconds = Number(headers['retry-after'])
    t.equal(status, 429)
    t.match(body, { code: 'rate-limited', retry_after_s: seconds })
    t.ok(Number.isInteger(seconds) && seconds >= 1, String(seconds))
    t.ok(simulator.stats.api <= 4)
    if (name === 'is a date') t.ok(seconds >= 85 && seconds <= 90, String(seconds))

    const sent = simulator.stats.api
    t.equal((await get(tracks)).status, 429)
    t.equal(simulator.stats.api, sent, 'nothing is sent meanwhile')
    t.ok(performance.now() - startMs < 3_000)
  })
}

t.test('a limit of a second is waited for, and not for less', async (t) => {
  const { get, simulator } = await build(t, { env: { READ_WAIT_BUDGET_MS: '1500' } })
  simulator.faults.add({ on: '/me', fault: tooManyRequests(1) })
  t.equal((await get('/tables/user_profile/read')).status, 200)
  const [refused, answered] = simulator.stats.requests.filter(({ path }) => path === '/me')
  t.ok(refused && answered && answered.atMs - refused.atMs >= 1_000)
})
