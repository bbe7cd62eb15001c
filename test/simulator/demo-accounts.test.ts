import t from 'tap'
import { demoAccounts } from '../../src/simulator/demo-accounts.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'

t.test('the demo’s accounts differ in name, size and all they hold', async (t) => {
  const nowMs = Date.UTC(2026, 10, 24, 12)
  const simulator = await startSimulator({ accounts: demoAccounts(nowMs) })
  t.teardown(() => simulator.close())
  const libraries = simulator.accounts.map(({ library }) => library)
  t.same(
    libraries.map(({ tracks }) => tracks.length),
    [1_200, 6_840, 23],
  )
  for (const field of ['id', 'display_name', 'account_id'] as const) {
    t.equal(new Set(libraries.map(({ me }) => me[field])).size, 3, field)
  }
  const ids = libraries.map(({ tracks }) => tracks.flatMap((item) => item?.track?.id ?? []))
  t.equal(new Set(ids.flat()).size, ids.flat().length)
})
