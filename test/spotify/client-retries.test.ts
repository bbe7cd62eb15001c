import t from 'tap'
import { UpstreamFault } from '../../src/spotify/fault.ts'
import { readPage } from '../../src/spotify/objects.ts'
import { inTurn, json, text } from '../helpers/fake-transport.ts'
import { apiUrl, spotifyParts } from '../helpers/spotify.ts'

const tracks = { path: '/me/tracks', query: {}, read: readPage }
const empty = { items: [], total: 0, next: null }
const unavailable = text(503, 'upstream connect error')

const passing = {
  'a 500': json(500, { error: { status: 500, message: 'Server error.' } }),
  'a 502 with HTML': text(502, '<html><h1>Bad gateway</h1></html>'),
  'a 503 in plain text': unavailable,
  'a 504': text(504, ''),
  'a 404': json(404, { error: { status: 404, message: 'Resource not found' } }),
  'a 408': text(408, ''),
  'a redirect': text(302, '', { location: 'https://elsewhere.example/v1/me' }),
  'a 204': text(204, ''),
  'HTML instead of JSON': text(200, '<html>Please wait…</html>'),
  'JSON that breaks off': text(200, '{"items":['),
  'no body': text(200, ''),
  'a list instead of a page': json(200, []),
  'a page without items': json(200, { total: 7, next: null }),
  'a reset connection': new UpstreamFault('error', 'the connection failed (ECONNRESET)'),
}

for (const [name, failure] of Object.entries(passing)) {
  t.test(`${name} is tried again`, async (t) => {
    const { client, wire, log, call } = spotifyParts(t)
    wire.api = inTurn(failure, failure, failure, json(200, empty))
    t.same(await client.get(tracks, call()), { items: [], total: 0, hasNext: false })
    t.same(
      wire.apiRequests.map(({ url }) => url),
      Array(4).fill(`${apiUrl}/me/tracks`),
    )
    t.equal(log.of('warn').length, 3)
  })

  t.test(`${name} that lasts is an upstream-error after 4 attempts`, async (t) => {
    const { client, wire, call } = spotifyParts(t)
    wire.api = inTurn(failure)
    await t.rejects(client.get(tracks, call()), {
      code: 'upstream-error',
      retryable: true,
      message: /asked for \/me\/tracks 4 times/,
    })
    t.equal(wire.apiRequests.length, 4)
  })
}

t.test('timeouts that last are an upstream-timeout', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  wire.api = inTurn(unavailable, new UpstreamFault('timeout', 'no answer within 10 s'))
  await t.rejects(client.get(tracks, call()), {
    code: 'upstream-timeout',
    retryable: true,
    message: /no answer within 10 s/,
  })
})

t.test('attempts wait in between, and what they wait is of the budget', async (t) => {
  const { client, wire, clock, log, call } = spotifyParts(t, { backoff: (nth) => nth * 1_000 })
  wire.api = inTurn(unavailable)
  const caller = call()
  const refused = t.rejects(client.get(tracks, caller), { code: 'upstream-error' })
  for (const [requests, waitMs] of [
    [1, 1_000],
    [2, 2_000],
    [3, 3_000],
  ] as const) {
    await clock.advance(waitMs - 1)
    t.equal(wire.apiRequests.length, requests)
    await clock.advance(1)
  }
  await refused
  t.equal(wire.apiRequests.length, 4)
  t.equal(caller.budget.spentMs, 6_000)
  t.match(log.lines.at(-1), {
    level: 'warn',
    facts: { endpoint: '/me/tracks', attempt: 3, waitMs: 3_000, fault: /503/ },
  })
})

t.test('no attempt is waited for beyond the budget', async (t) => {
  const { client, wire, clock, call } = spotifyParts(t, { backoff: () => 3_000 })
  wire.api = inTurn(unavailable)
  const caller = call({ waitMs: 5_000 })
  const refused = t.rejects(client.get(tracks, caller), {
    code: 'upstream-error',
    message: /2 times/,
  })
  await clock.advance(3_000)
  await refused
  t.equal(wire.apiRequests.length, 2)
  await t.rejects(client.get(tracks, call({ waitMs: 0 })), {
    message: /asked for \/me\/tracks once/,
  })
})

t.test('an abort between attempts ends them', async (t) => {
  const { client, wire, clock, call } = spotifyParts(t, { backoff: () => 3_000 })
  wire.api = inTurn(unavailable)
  const controller = new AbortController()
  const reason = new Error('the reader went away')
  const aborted = t.rejects(client.get(tracks, call({ signal: controller.signal })), reason)
  await clock.advance(1_000)
  controller.abort(reason)
  await aborted
  await clock.advance(10_000)
  t.equal(wire.apiRequests.length, 1)
})

t.test('what is no fault of the wire is thrown as it is', async (t) => {
  const { client, wire, call } = spotifyParts(t)
  const bug = new TypeError('a bug')
  const read = () => {
    throw bug
  }
  await t.rejects(client.get({ ...tracks, read }, call()), bug)
  t.equal(wire.apiRequests.length, 1)
})
