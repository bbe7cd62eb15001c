import type { Test } from 'tap'
import { kinds } from '../../src/problems.ts'
import { build } from './build.ts'
import { type FaultCase, timeoutsFor } from './every-fault.ts'
import { holdTogether, meet, until } from './hold.ts'
import {
  askedByPlace,
  behindPage,
  endsWhole,
  isInterrupted,
  ninePages,
  rowsAPage,
  savedTracks,
} from './saved-tracks.ts'

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
    endsWhole(t, await get(read), `once, at request ${skip + 1}`)
  }

  if (expected.comesTo === 'the whole table') {
    for (const skip of [0, 2]) {
      add({ skip, times: forEver })
      endsWhole(t, await get(read), `for ever, from request ${skip + 1} on`)
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

  const third = 2 * rowsAPage
  faults.clear()
  stats.reset()
  faults.add({ on: behindPage(2), fault, times: forEver })
  const next = isInterrupted(t, await get(read), problem)
  isBounded(t, askedByPlace(stats), third, attempts)
  t.match(
    await get(next),
    { status, body: problem },
    'while it lasts, the next call is the problem',
  )
  isBounded(t, askedByPlace(stats), third, 2 * attempts)
  faults.clear()
  endsWhole(t, await get(next), 'the rest, once it is over', { from: third })
}

/** Eight pages in flight at once meet a fault, all of them: once, and for ever. */
export async function eightPagesMeet(t: Test, { fault, ...expected }: FaultCase): Promise<void> {
  const { get, simulator } = await build(t, {
    simulator: { library: ninePages },
    // Eight answers at once take a busy machine a while.
    timeouts: timeoutsFor(expected.comesTo, 1_000),
  })
  const { faults, stats } = simulator
  const add = (times: number) => {
    faults.clear()
    stats.reset()
    faults.add({ on: behindPage(1), fault, times })
    meet(simulator, behindPage(1), 8)
  }

  add(8)
  endsWhole(t, await get(read), 'once', { library: ninePages })
  t.equal(stats.maxInFlight, 8)
  if (expected.comesTo === 'the whole table') return
  t.strictSame(Object.values(askedByPlace(stats)), [1, ...Array(8).fill(2)], 'each once more')

  const { comesTo: code, named } = expected
  const { status } = kinds[code]
  const problem = { code, status, retryable: true, detail: named }
  add(forEver)
  const next = isInterrupted(t, await get(read), problem, { library: ninePages, pages: 1 })
  isBounded(t, askedByPlace(stats), rowsAPage, attempts)
  t.match(await get(next), { status, body: problem }, 'it lasts')
  faults.clear()
  endsWhole(t, await get(next), 'the rest', { library: ninePages, from: rowsAPage })
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
    endsWhole(t, await get(read), 'for ever')
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
  endsWhole(t, await get(read), 'once')
  t.equal(stats.token, attempts + 2)

  // The token dies when all pages behind the second are asked for, and the second has its answer.
  const { arrived, release } = holdTogether(simulator, behindPage(2), { count: 3 })
  const second = () => stats.requests.findLast(({ query }) => query.offset === String(rowsAPage))
  arrived
    .then(() => until(() => second()?.status === 200))
    .then(() => {
      simulator.expireAccessTokens()
      release()
    })
  faults.add(lasting)
  const next = isInterrupted(t, await get(read), problem)
  t.equal(stats.token, attempts + 2 + attempts)
  t.match(
    await get(next),
    { status, body: problem },
    'while it lasts, the next call is the problem',
  )
  t.equal(stats.token, attempts + 2 + 2 * attempts)
  faults.clear()
  endsWhole(t, await get(next), 'the rest, once it is over', { from: 2 * rowsAPage })
}

/** The page that failed was asked for so many times, and no other more often. */
function isBounded(t: Test, asked: Record<number, number>, failed: number, times: number): void {
  t.equal(asked[failed], times, 'the page that failed')
  t.ok(Math.max(...Object.values(asked)) <= times, 'those in flight beside it')
}
