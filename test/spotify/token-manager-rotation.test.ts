import t from 'tap'
import type { Store } from '../../src/database/store.ts'
import { inTurn, tokenAnswer } from '../helpers/fake-transport.ts'
import { memoryStore, type Parts, spotifyParts } from '../helpers/spotify.ts'

/** The refresh token that a request exchanged. */
const exchanged = ({ wire }: Parts, nth: number) =>
  new URLSearchParams(wire.tokenRequests[nth - 1]?.body).get('refresh_token')

/** Gets a token, and at once another one. */
async function refreshTwice({ tokens, call }: Parts): Promise<void> {
  tokens.drop(await tokens.get(call()))
  tokens.drop(await tokens.get(call()))
}

t.test('a rotated refresh token is stored before the access token is given out', async (t) => {
  const events: string[] = []
  const store = memoryStore(t)
  const saveRefreshToken: Store['saveRefreshToken'] = (...rotated) => {
    events.push(`stored, the connection is ${parts.tokens.state().state}`)
    store.saveRefreshToken(...rotated)
  }
  const parts = spotifyParts(t, { store: spied(store, { saveRefreshToken }) })
  parts.wire.token = () => tokenAnswer({ refresh_token: 'rotated' })
  await parts.tokens.get(parts.call())
  events.push('given out')
  t.same(events, ['stored, the connection is unknown', 'given out'])
})

t.test('the next refresh exchanges the rotated token, after a restart too', async (t) => {
  const store = memoryStore(t)
  const before = spotifyParts(t, { store })
  before.wire.token = inTurn(
    tokenAnswer({ refresh_token: 'second' }),
    tokenAnswer({ refresh_token: 'third' }),
  )
  await refreshTwice(before)
  t.same([exchanged(before, 1), exchanged(before, 2)], ['configured-token', 'second'])

  const after = spotifyParts(t, { store })
  await after.tokens.get(after.call())
  t.equal(exchanged(after, 1), 'third')
})

t.test('an answer without a real refresh token keeps the stored one', async (t) => {
  for (const refresh_token of ['', null, undefined, 'rotated']) {
    const store = memoryStore(t)
    const before = spotifyParts(t, { store })
    before.wire.token = inTurn(
      tokenAnswer({ refresh_token: 'rotated' }),
      tokenAnswer({ refresh_token }),
    )
    await refreshTwice(before)
    await before.tokens.get(before.call())
    t.equal(exchanged(before, 3), 'rotated')
    t.equal(before.log.of('info').filter((line) => /stored/.test(line)).length, 1)

    const after = spotifyParts(t, { store })
    await after.tokens.get(after.call())
    t.equal(exchanged(after, 1), 'rotated', JSON.stringify(refresh_token))
  }
})

t.test('the configured token is not stored when it is never rotated', async (t) => {
  const writes: unknown[] = []
  const store = spied(memoryStore(t), { saveRefreshToken: (...saved) => writes.push(saved) })
  const parts = spotifyParts(t, { store })
  parts.wire.token = () => tokenAnswer({ refresh_token: 'configured-token' })
  await refreshTwice(parts)
  t.same(writes, [])
})

t.test('another configured token begins afresh, and leaves the first as it was', async (t) => {
  const store = memoryStore(t)
  const first = spotifyParts(t, { store })
  first.wire.token = () => tokenAnswer({ refresh_token: 'rotated' })
  await first.tokens.get(first.call())

  const other = spotifyParts(t, { store, credentials: { refreshToken: 'new-consent' } })
  await other.tokens.get(other.call())
  t.equal(exchanged(other, 1), 'new-consent')

  const again = spotifyParts(t, { store })
  await again.tokens.get(again.call())
  t.equal(exchanged(again, 1), 'rotated')
})

t.test('a token that can not be stored serves from memory, and is stored later', async (t) => {
  const store = memoryStore(t)
  let full = true
  let tries = 0
  const saveRefreshToken: Store['saveRefreshToken'] = (...rotated) => {
    tries += 1
    if (full) throw new Error('the disk is full')
    store.saveRefreshToken(...rotated)
  }
  const parts = spotifyParts(t, { store: spied(store, { saveRefreshToken }) })
  const { tokens, clock, wire, log, call } = parts
  wire.token = inTurn(tokenAnswer({ refresh_token: 'rotated' }), tokenAnswer())

  t.equal((await tokens.get(call())).value, 'access', 'reads go on')
  t.match(tokens.state(), { state: 'ok', unstored: true })
  t.match(log.of('error'), [/could not be stored/])
  t.notMatch(JSON.stringify(log.lines), /rotated"/)

  await tokens.get(call())
  tokens.state()
  t.equal(tries, 1, 'not tried again at once')
  await clock.advance(5_000)
  await tokens.get(call())
  t.equal(tries, 2)
  t.match(tokens.state(), { unstored: true })

  full = false
  await clock.advance(5_000)
  t.match(tokens.state(), { state: 'ok', unstored: false })
  await clock.advance(3600_000)
  await tokens.get(call())
  t.same([tries, exchanged(parts, 2)], [3, 'rotated'])

  const after = spotifyParts(t, { store })
  await after.tokens.get(after.call())
  t.equal(exchanged(after, 1), 'rotated')
})

t.test('of two tokens that could not be stored the newest is', async (t) => {
  const store = memoryStore(t)
  let full = true
  const saveRefreshToken: Store['saveRefreshToken'] = (...rotated) => {
    if (full) throw new Error('the disk is full')
    store.saveRefreshToken(...rotated)
  }
  const parts = spotifyParts(t, { store: spied(store, { saveRefreshToken }) })
  parts.wire.token = inTurn(
    tokenAnswer({ refresh_token: 'second' }),
    tokenAnswer({ refresh_token: 'third' }),
  )
  await refreshTwice(parts)
  full = false
  await parts.clock.advance(5_000)
  t.match(parts.tokens.state(), { unstored: false })

  const after = spotifyParts(t, { store })
  await after.tokens.get(after.call())
  t.equal(exchanged(after, 1), 'third')
})

/** The store with some of its methods replaced. */
function spied(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name: keyof Store) => methods[name] ?? target[name].bind(target),
  })
}

t.test('closing waits for a refresh that nobody waits for any more', async (t) => {
  const store = memoryStore(t)
  const parts = spotifyParts(t, { store })
  let answer = () => {}
  const sent = new Promise<void>((resolve) => {
    parts.wire.token = async () => {
      resolve()
      await new Promise<void>((go) => {
        answer = go
      })
      return tokenAnswer({ refresh_token: 'rotated' })
    }
  })
  const reader = new AbortController()
  const left = t.rejects(parts.tokens.get(parts.call({ signal: reader.signal })))
  await sent
  reader.abort(new Error('gone'))
  await left
  const closed = parts.tokens.close()
  answer()
  await closed
  const after = spotifyParts(t, { store })
  await after.tokens.get(after.call())
  t.equal(exchanged(after, 1), 'rotated')
})

t.test('closing stores a token that could not be stored before', async (t) => {
  const store = memoryStore(t)
  let isFull = true
  const saveRefreshToken: Store['saveRefreshToken'] = (...rotated) => {
    if (isFull) throw new Error('disk full')
    store.saveRefreshToken(...rotated)
  }
  const parts = spotifyParts(t, { store: spied(store, { saveRefreshToken }) })
  parts.wire.token = () => tokenAnswer({ refresh_token: 'rotated' })
  await parts.tokens.get(parts.call())
  isFull = false
  await parts.tokens.close()
  const after = spotifyParts(t, { store })
  await after.tokens.get(after.call())
  t.equal(exchanged(after, 1), 'rotated')
})
