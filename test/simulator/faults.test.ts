import t from 'tap'
import type { SimulatedRequest } from '../../src/simulator/answer.ts'
import { type Fault, Faults, type Rule } from '../../src/simulator/faults.ts'
import { start } from './start.ts'

const request: SimulatedRequest = {
  service: 'api',
  method: 'GET',
  path: '/me/tracks',
  query: {},
  headers: {},
  body: Buffer.alloc(0),
}
const status = (code: number): Fault => ({ kind: 'status', status: code })

/** The kinds of faults (the code of a status) that each of `count` requests meets. */
function met(rules: Rule[], count: number) {
  const faults = new Faults()
  for (const rule of rules) faults.add(rule)
  return Array.from({ length: count }, () =>
    faults.take(request).map((fault) => (fault.kind === 'status' ? fault.status : fault.kind)),
  )
}

t.test('a fault happens once, to requests with its path or that its function says', async (t) => {
  const on = '/me/tracks'
  t.same(met([{ on, fault: status(500) }], 2), [[500], []])
  t.same(met([{ on: '/me', fault: status(500) }], 1), [[]])
  t.same(met([{ on: ({ query }) => !query.offset, fault: status(500) }], 1), [[500]])
})

t.test('some requests pass first, and a fault may happen more often, or for ever', async (t) => {
  const on = '/me/tracks'
  t.same(met([{ on, skip: 2, fault: status(500) }], 4), [[], [], [500], []])
  t.same(met([{ on, times: 2, fault: status(500) }], 3), [[500], [500], []])
  t.same(met([{ on, skip: 1, times: Number.POSITIVE_INFINITY, fault: status(500) }], 3), [
    [],
    [500],
    [500],
  ])
})

t.test('faults with a number of times take turns in their order', async (t) => {
  const on = '/me/tracks'
  const rules: Rule[] = [
    { on, times: 2, fault: status(500) },
    { on, fault: status(502) },
    { on, skip: 4, fault: { kind: 'reset' } },
  ]
  t.same(met(rules, 6), [[500], [500], [502], [], ['reset'], []])
})

t.test('faults for ever happen together; one in the answer’s place gives way', async (t) => {
  const on = '/me/tracks'
  const times = Number.POSITIVE_INFINITY
  const rules: Rule[] = [
    { on, times, fault: { kind: 'page-size', size: 20 } },
    { on, times, fault: { kind: 'total', total: 5 } },
    { on, skip: 1, fault: status(500) },
  ]
  const lasting = ['page-size', 'total']
  t.same(met(rules, 3), [lasting, [500, ...lasting], lasting])
  const outage: Rule[] = [
    { on, times, fault: status(503) },
    { on, fault: { kind: 'reset' } },
  ]
  t.same(met(outage, 2), [['reset'], [503]])
})

t.test('the list can be changed between two pages, and the request too', async (t) => {
  const { simulator, body } = await start(t)
  const before = simulator.library.tracks.length
  simulator.faults.beforeAnswer('/me/tracks', async ({ query }, nth) => {
    if (nth === 2) simulator.library.tracks.splice(0, 5)
    if (nth === 3) delete query.offset
  })
  t.equal((await body('/me/tracks')).total, before)
  t.equal((await body('/me/tracks?offset=20')).total, before - 5)
  t.equal((await body('/me/tracks?offset=40')).offset, 0)
  t.equal((await body('/me/top/tracks?offset=40')).offset, 40)
  t.equal(simulator.stats.requests[2]?.query.offset, '40')
  simulator.faults.clear()
  t.equal((await body('/me/tracks?offset=40')).offset, 40)
})
