import t from 'tap'
import { UpstreamFault } from '../../src/spotify/fault.ts'
import { inTurn, json, text, tokenAnswer } from '../helpers/fake-transport.ts'
import { spotifyParts } from '../helpers/spotify.ts'

const unavailable = text(503, '<html><h1>Service unavailable</h1></html>')
const hour = 3600_000

const passing = {
  'a 500': json(500, { error: 'server_error' }),
  'a 503 with HTML': unavailable,
  'a 503 in plain text': text(503, 'upstream connect error'),
  'a 404': text(404, 'Not Found'),
  'a reset connection': new UpstreamFault('error', 'the connection failed (ECONNRESET)'),
  'a 200 with HTML': text(200, '<html>Please wait…</html>'),
  'a 200 that breaks off': text(200, '{"access_token":"a'),
  'a 200 without a token': json(200, { token_type: 'Bearer' }),
}

for (const [name, failure] of Object.entries(passing)) {
  t.test(`${name} from the accounts service is tried again`, async (t) => {
    const { tokens, wire, call } = spotifyParts(t)
    wire.token = inTurn(failure, failure, failure, tokenAnswer())
    t.equal((await tokens.get(call())).value, 'access')
    t.equal(wire.tokenRequests.length, 4)
  })

  t.test(`${name} that lasts is an upstream-error after 4 attempts`, async (t) => {
    const { tokens, wire, call } = spotifyParts(t)
    wire.token = inTurn(failure)
    const callers = [tokens.get(call()), tokens.get(call())]
    for (const caller of callers) {
      await t.rejects(caller, {
        code: 'upstream-error',
        retryable: true,
        message: /\/api\/token 4 times/,
      })
    }
    t.equal(wire.tokenRequests.length, 4)
    t.match(tokens.state(), { state: 'unknown' })
  })
}

t.test('timeouts that last are an upstream-timeout', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  wire.token = inTurn(new UpstreamFault('timeout', 'no answer within 10 s'))
  await t.rejects(tokens.get(call()), { code: 'upstream-timeout', retryable: true })
})

t.test('a refusal that is none of OAuth is not tried again', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  wire.token = inTurn(json(400, { error: 'invalid_request' }))
  await t.rejects(tokens.get(call()), { code: 'upstream-error', retryable: false })
  t.equal(wire.tokenRequests.length, 1)
  t.match(tokens.state(), { state: 'unknown' }, 'and marks nothing')
})

t.test('attempts wait in between, and no longer than a read may', async (t) => {
  const waits = [1_000, 18_000, 2_000]
  const { tokens, wire, clock, log, call } = spotifyParts(t, {
    backoff: (attempt) => waits[attempt - 1] ?? 0,
  })
  wire.token = inTurn(unavailable)
  const refused = t.rejects(tokens.get(call()), { code: 'upstream-error', message: /3 times/ })
  await clock.advance(999)
  t.equal(wire.tokenRequests.length, 1)
  await clock.advance(1)
  t.equal(wire.tokenRequests.length, 2)
  await clock.advance(18_000)
  await refused
  t.equal(wire.tokenRequests.length, 3)
  t.match(log.lines[0], { level: 'warn', facts: { attempt: 1, waitMs: 1_000, fault: /503/ } })
})

t.test('the last minute of a token is used when its refresh fails', async (t) => {
  const { tokens, wire, clock, call } = spotifyParts(t)
  wire.token = inTurn(tokenAnswer(), unavailable)
  const token = await tokens.get(call())
  await clock.advance(hour - 30_000)
  t.match(await tokens.get(call()), { value: token.value })
  t.equal(wire.tokenRequests.length, 5)
  // A read of many pages must not ask again with each of them.
  for (let page = 0; page < 20; page++) await tokens.get(call())
  t.equal(wire.tokenRequests.length, 5)
  await clock.advance(5_000)
  t.match(await tokens.get(call()), { value: token.value })
  t.equal(wire.tokenRequests.length, 9)
  await clock.advance(25_000)
  await t.rejects(tokens.get(call()), { code: 'upstream-error' })
})

t.test('the last minute of a token is used while its refresh is limited', async (t) => {
  const { tokens, wire, clock, call } = spotifyParts(t)
  wire.token = inTurn(tokenAnswer(), text(429, '', { 'retry-after': '3600' }))
  const token = await tokens.get(call())
  await clock.advance(hour - 60_000)
  t.equal(await tokens.get(call()), token)
  await clock.advance(59_999)
  t.equal(await tokens.get(call()), token)
  t.equal(wire.tokenRequests.length, 2)
  await clock.advance(1)
  await t.rejects(tokens.get(call()), { code: 'rate-limited' })
})

t.test('a token that was dropped is not used again when its refresh fails', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  wire.token = inTurn(tokenAnswer(), unavailable)
  tokens.drop(await tokens.get(call()))
  await t.rejects(tokens.get(call()), { code: 'upstream-error' })
})

t.test('a 429 of the accounts service shuts it alone, and is waited for', async (t) => {
  const { tokens, wire, gate, clock, call } = spotifyParts(t)
  wire.token = inTurn(text(429, '', { 'retry-after': '7' }), tokenAnswer())
  const callers = Array.from({ length: 8 }, () => tokens.get(call()))
  await clock.advance(6_999)
  t.equal(wire.tokenRequests.length, 1)
  t.equal(gate.isShut('/me'), false)
  await clock.advance(1)
  t.equal(new Set(await Promise.all(callers)).size, 1)
  t.equal(wire.tokenRequests.length, 2)
})

t.test('a 429 of the accounts service that is too long for the budget is told', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  wire.token = inTurn(text(429, 'Too many requests', { 'retry-after': '90' }))
  await t.rejects(tokens.get(call()), { code: 'rate-limited', retryAfterS: 90 })
  await t.rejects(tokens.get(call()), { code: 'rate-limited' })
  t.equal(wire.tokenRequests.length, 1, 'and nothing is sent while it lasts')
})

t.test('each caller has its own patience', async (t) => {
  const { tokens, wire, clock, call } = spotifyParts(t)
  wire.token = inTurn(text(429, '', { 'retry-after': '30' }), tokenAnswer())
  const hasty = t.rejects(tokens.get(call()), { code: 'rate-limited' })
  const patient = tokens.get(call({ waitMs: 30_000 }))
  await hasty
  await clock.advance(30_000)
  t.equal((await patient).value, 'access')
})

t.test('limited for ever, a read ends with its budget and few requests', async (t) => {
  const { tokens, wire, clock, call } = spotifyParts(t)
  wire.token = inTurn(text(429, '', { 'retry-after': '0' }))
  const refused = t.rejects(tokens.get(call()), { code: 'rate-limited' })
  await clock.advance(60_000)
  await refused
  t.equal(wire.tokenRequests.length, 3, 'after 0 s, 5 s and 15 s; the next would be at 35 s')
})
