import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { tokenError, unauthorized } from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import { isOfPagesAlone, namedFaults } from '../helpers/every-fault.ts'
import { eightPagesMeet, pagesMeet, tokenMeets } from '../helpers/meet-fault.ts'

let strangerWasAsked = false
const stranger = createServer((_request, response) => {
  strangerWasAsked = true
  response.end('{}')
})
await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
t.teardown(() => stranger.close())
const elsewhere = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/v1/me/tracks`

for (const [name, one] of namedFaults(elsewhere)) {
  if (one.comesTo === 'upstream-timeout') continue // See time-limits.test.ts.
  t.test(`${name}, of the saved tracks`, async (t) => {
    await pagesMeet(t, one)
    t.notOk(strangerWasAsked, 'no request went where an answer led to')
  })
  t.test(`${name}, of eight pages at once`, async (t) => {
    await eightPagesMeet(t, one)
    t.notOk(strangerWasAsked, 'no request went where an answer led to')
  })
  if (isOfPagesAlone(one)) continue
  t.test(`${name}, of the access token`, async (t) => {
    await tokenMeets(t, one)
    t.notOk(strangerWasAsked, 'no request went where an answer led to')
  })
}

t.test('a refresh that is refused for good is not tried again', async (t) => {
  const refusals = [
    [tokenError('invalid_grant', 'Refresh token revoked'), 'reauthorisation-required', 424],
    [tokenError('invalid_client', 'Invalid client'), 'credentials-rejected', 424],
    [tokenError('invalid_request', 'refresh_token must be supplied'), 'upstream-error', 502],
    [unauthorized(), 'upstream-error', 502],
  ] as const
  for (const [fault, code, status] of refusals) {
    const { get, simulator } = await build(t)
    simulator.faults.add({ on: '/api/token', fault, times: Number.POSITIVE_INFINITY })
    const answer = await get('/tables/tracks/read')
    t.match(answer, { status, body: { code, status, retryable: false } })
    t.equal(simulator.stats.token, 1, code)
    t.equal(simulator.stats.api, 0)
  }
})
