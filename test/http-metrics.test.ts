import fastify from 'fastify'
import t from 'tap'
import { registerRequestMetrics } from '../src/http-metrics.ts'
import { ask } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { scrape } from './helpers/metrics.ts'

t.test('a request is told by the pattern of its route, never by its path', async (t) => {
  const told: [string, number][] = []
  const app = fastify()
  t.teardown(() => app.close())
  registerRequestMetrics(app, {
    answered(route, status, ms) {
      t.ok(ms >= 0)
      told.push([route, status])
    },
  })
  app.get('/tables/:name', async () => 'x')
  await ask(app, '/tables/hush?hush')
  await ask(app, '/hush')
  t.strictSame(told, [
    ['/tables/:name', 200],
    ['none', 404],
  ])
})

t.test('requests are counted by route and status', async (t) => {
  const { app } = await build(t)
  for (const url of ['/livez', '/livez', '/livez?x', '/nope', '/tables/nope/metadata']) {
    await ask(app, url)
  }
  const { value } = await scrape(app)
  const count = (route: string, status: string) =>
    value('http_request_duration_seconds_count', { route, status })
  t.equal(count('/livez', '200'), 2)
  t.equal(count('/livez', '400'), 1)
  t.equal(count('none', '404'), 1)
  t.equal(count('/tables/:name/metadata', '404'), 1)
})
