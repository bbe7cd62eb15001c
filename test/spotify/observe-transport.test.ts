import t from 'tap'
import { UpstreamFault } from '../../src/spotify/fault.ts'
import { observeTransport } from '../../src/spotify/observe-transport.ts'
import type { Answer, Transport } from '../../src/spotify/transport.ts'

/** A transport whose sends take 40 ms, and what its observer is told. */
function start(send: () => Promise<Answer>) {
  const told: unknown[] = []
  let nowMs = 0
  const nobody = () => t.fail('not of a transport')
  const inner: Transport = { send, close: async () => {} }
  const transport = observeTransport(inner, {
    bases: ['https://api.test/v1', 'https://accounts.test'],
    observer: {
      ...{ retried: nobody, waited: nobody, refreshed: nobody },
      answered: (...facts) => told.push(facts),
    },
    now: () => {
      nowMs += 40
      return nowMs
    },
  })
  const get = (url: string) => transport.send({ method: 'GET', url, headers: {} })
  return { get, told, transport }
}

const answer = (status: number) => async () => ({ status, headers: {}, text: '' })

t.test('an answer is told by endpoint, without its query, and by status', async (t) => {
  const { get, told } = start(answer(429))
  t.equal((await get('https://api.test/v1/me/tracks?limit=50&offset=100')).status, 429)
  await get('https://accounts.test/api/token')
  t.strictSame(told, [
    ['/me/tracks', 429, 40],
    ['/api/token', 429, 40],
  ])
})

for (const kind of ['timeout', 'error'] as const) {
  t.test(`a request without an answer is told as ${kind}, and fails as before`, async (t) => {
    const fault = new UpstreamFault(kind, 'no answer')
    const { get, told } = start(async () => {
      throw fault
    })
    await t.rejects(get('https://api.test/v1/me'), fault)
    t.strictSame(told, [['/me', kind, 40]])
  })
}

t.test('a request that nobody wanted any more is told as aborted', async (t) => {
  const { get, told } = start(async () => {
    throw new Error('the reader went away')
  })
  await t.rejects(get('https://api.test/v1/me'), /went away/)
  t.strictSame(told, [['/me', 'aborted', 40]])
})
