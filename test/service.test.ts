import { existsSync, writeFileSync } from 'node:fs'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { ConfigError } from '../src/errors.ts'
import { Secrets } from '../src/secrets.ts'
import { createService, type Service } from '../src/service.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { ask, assertProblem } from './helpers/answer.ts'
import { until } from './helpers/hold.ts'
import { simulatorEnv } from './helpers/simulator-env.ts'

const profile = '/tables/user_profile/read'

/** A service of these variables alone; it ends with the test, if it was not closed before. */
async function start(t: Test, env: NodeJS.ProcessEnv): Promise<Service> {
  const service = await createService({
    config: readConfig(env),
    secrets: new Secrets(),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  })
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= service.close()
    return closed
  }
  t.teardown(close)
  return { ...service, close }
}

/** The variables of a simulated Spotify that outlives the services of the test. */
async function simulated(t: Test) {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const env = simulatorEnv(simulator)
  return { simulator, env }
}

t.test('without any variable it is a demo, with rows, and without a file', async (t) => {
  const dir = t.testdir()
  const before = process.cwd()
  process.chdir(dir)
  t.teardown(() => process.chdir(before))
  const { app, mode } = await start(t, {})
  t.equal(mode, 'demo')
  const { status, headers, text } = await ask(app, '/tables/tracks/read')
  t.equal(status, 200)
  t.equal(headers['x-demo'], 'true')
  t.ok(JSON.parse(text).records.length > 1_000)
  t.notOk(existsSync('.data'))
})

t.test(
  'a demo with a database of its own uses it, and stays a demo at the next start',
  async (t) => {
    const env = { DATABASE_URL: `sqlite:${t.testdir()}/new/connector.db` }
    for (const round of [1, 2]) {
      const { app, mode, close } = await start(t, env)
      t.equal(mode, 'demo', `start ${round}`)
      t.equal((await ask(app, profile)).status, 200)
      await close()
    }
    t.ok(existsSync(env.DATABASE_URL.slice('sqlite:'.length)))
  },
)

t.test('with credentials it is no demo', async (t) => {
  const { simulator, env } = await simulated(t)
  const { app, mode } = await start(t, { ...env, DATABASE_URL: 'sqlite::memory:' })
  t.equal(mode, 'spotify')
  const { status, headers } = await ask(app, profile)
  t.equal(status, 200)
  t.equal(headers['x-demo'], undefined)
  t.equal(simulator.stats.api, 1)
})

t.test('the password of a proxy is struck out wherever text leaves the process', async (t) => {
  const secrets = new Secrets()
  const service = await createService({
    config: readConfig({ DEMO: 'true', HTTPS_PROXY: 'http://me:hush%40word@proxy.example:3128' }),
    secrets,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  })
  t.teardown(() => service.close())
  const basic = Buffer.from('me:hush@word').toString('base64')
  const text = `http://me:hush%40word@proxy.example hush@word Basic ${basic}`
  t.equal(secrets.scrub(text), 'http://me:[redacted]@proxy.example [redacted] Basic [redacted]')
})

t.test('an app without a refresh token says how to get one, and asks nobody', async (t) => {
  const { simulator, env } = await simulated(t)
  const { SPOTIFY_REFRESH_TOKEN: _, ...others } = env
  const { app } = await start(t, { ...others, DATABASE_URL: 'sqlite::memory:' })
  const problem = assertProblem(t, await ask(app, profile), 'reauthorisation-required', 424)
  t.match(problem.detail, /SPOTIFY_REFRESH_TOKEN/)
  t.equal(simulator.stats.requests.length, 0)
})

t.test('a database with a real connection never becomes a demo by itself', async (t) => {
  const { env } = await simulated(t)
  const DATABASE_URL = `sqlite:${t.testdir()}/connector.db`
  await (await start(t, { ...env, DATABASE_URL })).close()
  await t.rejects(start(t, { DATABASE_URL }), {
    name: 'ConfigError',
    message: /SPOTIFY_CLIENT_ID is not set, and the database holds connections/,
  })
  const { mode, close } = await start(t, { DATABASE_URL, DEMO: 'true' })
  t.equal(mode, 'demo', 'but by order')
  await close()
  await t.rejects(start(t, { DATABASE_URL }), ConfigError, 'and not for good')
})

t.test('the look for a connection leaves what is there as it is', async (t) => {
  const dir = t.testdir({ 'empty.db': '' })
  const demoOff = (file: string) => ({ DATABASE_URL: `sqlite:${dir}/${file}`, DEMO: 'false' })
  for (const file of ['missing.db', 'none/missing.db']) {
    await t.rejects(start(t, demoOff(file)), ConfigError)
    t.notOk(existsSync(`${dir}/${file}`), file)
  }
  const { mode } = await start(t, { DATABASE_URL: `sqlite:${dir}/empty.db` })
  t.equal(mode, 'demo', 'an empty file holds none')

  writeFileSync(`${dir}/rubbish.db`, 'rubbish')
  await t.rejects(start(t, { DATABASE_URL: `sqlite:${dir}/rubbish.db` }), {
    name: 'ConfigError',
    message: /is not a sound SQLite database/,
  })
  t.notOk(existsSync(`${dir}/rubbish.db.unreadable-1`))
})

t.test('a closed service leaves its database to the next one', async (t) => {
  const { simulator, env } = await simulated(t)
  const DATABASE_URL = `sqlite:${t.testdir()}/connector.db`
  for (const round of [1, 2]) {
    const { app, close } = await start(t, { ...env, DATABASE_URL })
    t.equal((await ask(app, profile)).status, 200)
    t.equal(simulator.stats.token, round)
    await close()
  }
})

t.test('a closed service lets go of everything that would keep the process', async (t) => {
  const sockets = () =>
    process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
  await until(() => sockets() === 0)
  for (const env of [{}, { ...(await simulated(t)).env, DATABASE_URL: 'sqlite::memory:' }]) {
    const before = sockets()
    const service = await start(t, env)
    await service.app.listen({ host: '127.0.0.1', port: 0 })
    t.equal((await ask(service.app, '/tables/tracks/read')).status, 200)
    t.ok(sockets() > before + 1)
    await service.close()
    await until(() => sockets() === before)
  }
})
