import t from 'tap'
import { build } from './helpers/build.ts'

t.test('every table is read whole from the start', async (t) => {
  const { get, simulator } = await build(t)
  for (const { name } of (await get('/tables')).body.tables) {
    const { status, body } = await get(`/tables/${name}/read`)
    t.equal(status, 200, name)
    t.equal(body.has_more, false, name)
    t.ok(body.records.length > 0, name)
  }
  t.equal(simulator.stats.token, 1)
})
