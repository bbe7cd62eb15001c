import t from 'tap'
import { UpstreamFault } from '../../src/spotify/fault.ts'

t.test(
  'a fault becomes what a caller is told: what was asked, how often, what failed',
  async (t) => {
    const fault = new UpstreamFault('error', 'it answered 503')
    const error = fault.toError('/me/tracks', 4)
    t.match(error, { name: 'ConnectorError', code: 'upstream-error', retryable: true })
    t.equal(
      error.message,
      'Spotify was asked for /me/tracks 4 times; the last failure: it answered 503. Try again later.',
    )
    t.equal(error.cause, fault)
    t.match(fault.toError('/me', 1).message, /asked for \/me once;/)
  },
)

t.test('a timeout is told as one', async (t) => {
  const error = new UpstreamFault('timeout', 'no answer within 10 s').toError('/me', 4)
  t.match(error, { code: 'upstream-timeout', retryable: true })
})

t.test('a fault keeps its cause for the log', async (t) => {
  const cause = new Error('ECONNRESET')
  t.equal(new UpstreamFault('error', 'reset', cause).cause, cause)
  t.notOk('cause' in new UpstreamFault('error', 'reset'))
})
