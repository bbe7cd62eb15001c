import t, { type Test } from 'tap'
import { build } from '../helpers/build.ts'
import { type FaultCase, namedFaults } from '../helpers/every-fault.ts'
import { eightPagesMeet, pagesMeet, tokenMeets } from '../helpers/meet-fault.ts'
import { endsWhole, savedTracks } from '../helpers/saved-tracks.ts'

/** 14 requests that run into a limit, on a busy machine. */
const longestMs = 12_000

// They wait for real time limits, which pass side by side.
t.jobs = 10
const buffered = true

for (const [name, one] of namedFaults('')) {
  if (one.comesTo !== 'upstream-timeout') continue
  for (const [what, meet] of [
    ['the saved tracks', pagesMeet],
    ['eight pages at once', eightPagesMeet],
    ['the access token', tokenMeets],
  ] as const) {
    t.test(`${name}, of ${what}`, { buffered }, (t) => inBoundedTime(t, meet, one))
  }
}

// undici looks at these limits once a second only, so the limit of the whole comes first above.
for (const [name, fault, said] of [
  ['headers', { kind: 'no-headers' }, /no answer within 0.3 s/],
  ['the next byte', { kind: 'stalled-body' }, /stood still for 0.3 s/],
] as const) {
  t.test(`${name} has a limit of its own`, { buffered }, async (t) => {
    const { get, simulator, log } = await build(t, {
      simulator: { library: savedTracks },
      timeouts: { totalMs: 10_000 },
    })
    simulator.faults.add({ on: '/me/tracks', skip: 2, fault })
    endsWhole(t, await get('/tables/tracks/read'))
    t.ok(log.some(({ fault }) => said.test(String(fault))))
  })
}

async function inBoundedTime(t: Test, meet: typeof pagesMeet, one: FaultCase): Promise<void> {
  const startMs = performance.now()
  await meet(t, one)
  t.ok(performance.now() - startMs < longestMs)
}
