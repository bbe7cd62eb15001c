import type { Test } from 'tap'
import { kinds } from '../../src/problems.ts'
import { build } from './build.ts'
import { type FaultCase, timeoutsFor } from './every-fault.ts'
import { endsWhole, isInterrupted, savedTracks } from './saved-tracks.ts'

const read = '/tables/tracks/read'
const forEver = Number.POSITIVE_INFINITY

/** The requests that are made before a fault is told of. */
const attempts = 4

/** A read of five pages meets a fault once, and for ever, at its start and at its third page. */
export async function pagesMeet(t: Test, { fault, ...expected }: FaultCase): Promise<void> {
  const { get, simulator } = await build(t, {
    simulator: { library: savedTracks },
    timeouts: timeoutsFor(expected.comesTo),
  })
  const { faults, stats } = simulator
  const add = (rule: { skip: number; times: number }) => {
    faults.clear()
    stats.reset()
    faults.add({ on: '/me/tracks', fault, ...rule })
  }

  for (const skip of [0, 2]) {
    add({ skip, times: 1 })
    endsWhole(t, await get(read), 0, `once, at page ${skip + 1}`)
  }

  if (expected.comesTo === 'the whole table') {
    for (const skip of [0, 2]) {
      add({ skip, times: forEver })
      endsWhole(t, await get(read), 0, `for ever, from page ${skip + 1} on`)
    }
    return
  }

  const { comesTo: code, named } = expected
  const { status } = kinds[code]
  const problem = { code, status, retryable: true, detail: named }

  add({ skip: 0, times: forEver })
  const failed = await get(read)
  t.match(failed, { status, body: problem }, 'for ever, from the start')
  t.match(failed.headers['content-type'], /^application\/problem\+json/)
  t.equal(stats.api, attempts)

  add({ skip: 2, times: forEver })
  const next = isInterrupted(t, await get(read), problem)
  t.equal(stats.api, 2 + attempts)
  t.match(
    await get(next),
    { status, body: problem },
    'while it lasts, the next call is the problem',
  )
  t.equal(stats.api, 2 + 2 * attempts)
  faults.clear()
  endsWhole(t, await get(next), 100, 'the rest, once it is over')
}

/** The same of the access token: at its start a read has none, at its third page it has to be new. */
export async function tokenMeets(t: Test, { fault, ...expected }: FaultCase): Promise<void> {
  const { get, simulator } = await build(t, {
    simulator: { library: savedTracks },
    timeouts: timeoutsFor(expected.comesTo),
  })
  const { faults, stats } = simulator
  const lasting = { on: '/api/token', fault, times: forEver }

  if (expected.comesTo === 'the whole table') {
    faults.add(lasting)
    endsWhole(t, await get(read), 0, 'for ever')
    t.equal(stats.token, 1)
    return
  }

  const { comesTo: code } = expected
  const { status } = kinds[code]
  const problem = { code, status, retryable: true, detail: /\/api\/token.* 4 times/ }

  faults.add(lasting)
  t.match(await get(read), { status, body: problem }, 'for ever, from the start')
  t.equal(stats.token, attempts)
  t.equal(stats.api, 0, 'nothing is asked without a token')

  faults.clear()
  faults.add({ on: '/api/token', fault })
  endsWhole(t, await get(read), 0, 'once')
  t.equal(stats.token, attempts + 2)

  faults.beforeAnswer('/me/tracks', (_request, nth) => {
    if (nth === 3) simulator.expireAccessTokens()
  })
  faults.add(lasting)
  const next = isInterrupted(t, await get(read), problem)
  t.match(
    await get(next),
    { status, body: problem },
    'while it lasts, the next call is the problem',
  )
  t.equal(stats.token, attempts + 2 + 2 * attempts)
  faults.clear()
  endsWhole(t, await get(next), 100, 'the rest, once it is over')
}
