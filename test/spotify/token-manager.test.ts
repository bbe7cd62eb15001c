import t from 'tap'
import { settle } from '../helpers/fake-clock.ts'
import { tokenAnswer } from '../helpers/fake-transport.ts'
import { spotifyParts } from '../helpers/spotify.ts'

t.test('1,000 callers at once cause one request, and get the same token', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  const got = await Promise.all(Array.from({ length: 1_000 }, () => tokens.get(call())))
  t.equal(wire.tokenRequests.length, 1)
  t.ok(got.every(({ value }) => value === 'access-1'))
})

t.test('callers that come while a refresh is under way wait for it', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  const answer = Promise.withResolvers<ReturnType<typeof tokenAnswer>>()
  wire.token = () => answer.promise
  const first = tokens.get(call())
  await settle()
  const second = tokens.get(call())
  await settle()
  answer.resolve(tokenAnswer())
  t.equal(await first, await second)
  t.equal(wire.tokenRequests.length, 1)
})

t.test('a caller at the very end of a refresh does not begin another', async (t) => {
  for (let ticks = 0; ticks < 20; ticks++) {
    const { tokens, wire, call } = spotifyParts(t)
    const answer = Promise.withResolvers<ReturnType<typeof tokenAnswer>>()
    wire.token = () => answer.promise
    const first = tokens.get(call())
    await settle()
    answer.resolve(tokenAnswer())
    for (let tick = 0; tick < ticks; tick++) await null
    await Promise.all([first, tokens.get(call())])
    t.equal(wire.tokenRequests.length, 1, `${ticks} ticks after the answer`)
  }
})

t.test('a token serves until a minute before its end, then it is refreshed', async (t) => {
  const { tokens, wire, clock, call } = spotifyParts(t)
  const given = async () => (await tokens.get(call())).value
  t.equal(await given(), 'access-1')
  await clock.advance(3_539_999)
  t.equal(await given(), 'access-1')
  await clock.advance(1)
  t.equal(await given(), 'access-2')
  t.equal(wire.tokenRequests.length, 2)
})

t.test('the life of a token counts from when it was asked for', async (t) => {
  const { tokens, wire, clock, call } = spotifyParts(t)
  wire.token = async (_request, nth) => {
    await clock.sleep(10_000)
    return tokenAnswer({ access_token: `access-${nth}`, expires_in: 200 })
  }
  const first = tokens.get(call())
  await clock.advance(139_999)
  t.equal(await tokens.get(call()), await first)
  await clock.advance(1)
  const second = tokens.get(call())
  await clock.advance(10_000)
  t.equal((await second).value, 'access-2')
})

t.test('a token that lives for less than two minutes is refreshed at half its life', async (t) => {
  for (const [livesS, servesMs] of [
    [120, 60_000],
    [60, 30_000],
    [1, 500],
  ] as const) {
    const { tokens, wire, clock, call } = spotifyParts(t)
    wire.token = () => tokenAnswer({ expires_in: livesS })
    await tokens.get(call())
    await clock.advance(servesMs - 1)
    await tokens.get(call())
    t.equal(wire.tokenRequests.length, 1, `${livesS} s`)
    await clock.advance(1)
    await tokens.get(call())
    t.equal(wire.tokenRequests.length, 2, `${livesS} s`)
  }
})

t.test('a token that a 401 came back for is not given out again', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  const token = await tokens.get(call())
  tokens.drop(token)
  t.equal((await tokens.get(call())).value, 'access-2')
  t.equal(wire.tokenRequests.length, 2)
})

t.test('a late 401 for an older token does not drop the newer one', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  const old = await tokens.get(call())
  tokens.drop(old)
  const newer = await tokens.get(call())
  for (let page = 0; page < 7; page++) tokens.drop(old)
  t.equal(await tokens.get(call()), newer)
  t.equal(wire.tokenRequests.length, 2)
})

t.test('the scopes come with the token, null where they were not told', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  wire.token = (_request, nth) => tokenAnswer({ scope: ['a b', undefined, ''][nth - 1] })
  for (const scopes of [['a', 'b'], null, []]) {
    const token = await tokens.get(call())
    t.same(token.scopes, scopes)
    t.same(tokens.state(), { state: 'ok', scopes, unstored: false })
    tokens.drop(token)
  }
})

t.test('nothing is known before Spotify has been asked, and nobody asks for that', async (t) => {
  const { tokens, wire } = spotifyParts(t)
  t.same(tokens.state(), { state: 'unknown', scopes: null, unstored: false })
  await settle()
  t.equal(wire.tokenRequests.length, 0)
})

t.test('every secret is known to whoever strikes them out', async (t) => {
  const { tokens, wire, secrets, log, call } = spotifyParts(t)
  wire.token = () => tokenAnswer({ access_token: 'access-token', refresh_token: 'rotated-token' })
  await tokens.get(call())
  const basic = Buffer.from('client-id:client-secret').toString('base64')
  for (const secret of [
    'client-secret',
    'configured-token',
    'access-token',
    'rotated-token',
    basic,
    `Basic ${basic}`,
  ]) {
    t.equal(secrets.scrub(`a ${secret} b`), 'a [redacted] b')
  }
  t.notMatch(JSON.stringify(log.lines), /access-token|rotated-token|configured-token|client-secret/)
})

t.test('one caller that goes away leaves the refresh to the others', async (t) => {
  const { tokens, wire, call } = spotifyParts(t)
  const answer = Promise.withResolvers<ReturnType<typeof tokenAnswer>>()
  wire.token = () => answer.promise
  const controller = new AbortController()
  const reason = new Error('the reader went away')
  const first = tokens.get(call({ signal: controller.signal }))
  const second = tokens.get(call())
  await settle()
  controller.abort(reason)
  await t.rejects(first, reason)
  answer.resolve(tokenAnswer())
  t.equal((await second).value, 'access')
  t.equal(wire.tokenRequests.length, 1)
})

t.test('a refresh that fails when all callers have gone is nobody to handle', async (t) => {
  const unhandled: unknown[] = []
  const listen = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', listen)
  t.teardown(() => process.off('unhandledRejection', listen))
  const { tokens, wire, call } = spotifyParts(t)
  const answer = Promise.withResolvers<ReturnType<typeof tokenAnswer>>()
  wire.token = () => answer.promise
  const controller = new AbortController()
  const reason = new Error('the reader went away')
  const callers = [1, 2].map(() => tokens.get(call({ signal: controller.signal })))
  await settle()
  controller.abort(reason)
  for (const caller of callers) await t.rejects(caller, reason)
  answer.resolve({ status: 418, headers: {}, text: '' })
  await settle()
  await settle()
  t.same(unhandled, [])

  wire.token = () => tokenAnswer()
  t.equal((await tokens.get(call())).value, 'access', 'the next caller begins another')
})

t.test('a token that serves is given out while the gate is shut', async (t) => {
  const { tokens, gate, clock, call } = spotifyParts(t)
  const token = await tokens.get(call())
  const about = { endpoint: '/me', quota: false, sentAtMs: clock.now() }
  gate.refused({ ...about, scope: 'everything', retryAfterMs: 3600_000 })
  t.equal(await tokens.get(call({ waitMs: 0 })), token)
})
