import t from 'tap'
import { ask } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'
import { parseMetrics } from '../helpers/metrics.ts'

t.test('/metrics is text for Prometheus, and asks Spotify nothing', async (t) => {
  const { app, simulator } = await build(t)
  const { status, headers, text } = await ask(app, '/metrics')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.ok(parseMetrics(text).samples.length > 20)
  t.equal(simulator.stats.requests.length, 0)
  t.equal((await ask(app, { method: 'HEAD', url: '/metrics' })).text, '')
})

t.test('/metrics takes no parameters', async (t) => {
  const { app } = await build(t)
  const { status, text } = await ask(app, '/metrics?name=x')
  t.equal(status, 400)
  t.match(JSON.parse(text), { code: 'invalid-option', detail: /name/ })
})

t.test('every metric is named and explained as Prometheus wants it', async (t) => {
  const { app } = await build(t)
  const { types, helps } = parseMetrics((await ask(app, '/metrics')).text)
  const ours = [...types].filter(([name]) => name.startsWith('spotify_connector_'))
  t.ok(ours.length >= 25)
  for (const [name, type] of ours) {
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: counters end in _total`)
    if (type === 'histogram') t.match(name, /_seconds$/, `${name}: in the base unit`)
    t.match(helps.get(name), /^[A-Z\d].{15,}\.$/, `${name}: HELP is a sentence`)
  }
})

t.test('no secret, key of a row, offset or account is in a metric', async (t) => {
  const { app, get, simulator } = await build(t)
  const { body } = await get('/tables/tracks/read?max_pages=1')
  const url = `/tables/tracks/read?offset=${encodeURIComponent(JSON.stringify(body.offset))}`
  t.equal((await get(url)).status, 200)
  const profile = (await get('/tables/user_profile/read')).body.records[0]
  await ask(app, '/hush?token=hush')
  await ask(app, '/tables/hush/read?connection=hush')
  await ask(app, '/tables/tracks/read?connection=hush')
  const { text } = await ask(app, '/metrics')
  const { clientId, clientSecret, refreshToken } = simulator
  const never = [clientId, clientSecret, refreshToken, profile.id, profile.account_id, 'hush']
  for (const secret of [...never, body.records[0].track.id, ...body.offset.seam]) {
    t.notOk(text.includes(typeof secret === 'string' ? secret : secret.hash), String(secret))
  }
})
