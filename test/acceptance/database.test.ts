import { readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { mountSmallDisk, noSmallDisk } from '../database/small-disk.ts'
import { build } from '../helpers/build.ts'
import { LeapingClock } from '../helpers/leaping-clock.ts'

const profile = '/tables/user_profile/read'

/** Why a database can't be written, and how. `harm` gives what mends it. */
type Trouble = {
  name: string
  skip?: string | false
  dir(t: Test): string
  harm(dir: string): () => void
}

const fillDisk = (dir: string) => {
  const { bavail, bsize } = statfsSync(dir)
  writeFileSync(`${dir}/ballast`, Buffer.alloc(bavail * bsize))
  return () => rmSync(`${dir}/ballast`)
}

const troubles: Trouble[] = [
  { name: 'whose disk is full', skip: noSmallDisk, dir: mountSmallDisk, harm: fillDisk },
  {
    name: 'whose directory was moved away',
    dir: (t) => `${t.testdir({ data: {} })}/data`,
    harm(dir) {
      renameSync(dir, `${dir}-moved`)
      return () => renameSync(`${dir}-moved`, dir)
    },
  },
]

for (const { name, skip = false, dir: makeDir, harm } of troubles) {
  t.test(`a rotated token waits in memory for a database ${name}`, { skip }, async (t) => {
    const dir = makeDir(t)
    const clock = new LeapingClock()
    const spotify = await startSimulator({ clock, rotate: true })
    t.teardown(() => spotify.close())
    const env = {
      DATABASE_URL: `sqlite:${dir}/connector.db`,
      SPOTIFY_REFRESH_TOKEN: spotify.refreshToken,
    }
    const { get, log, close } = await build(t, { clock, spotify, env })
    const health = async () => (await get('/health')).body
    t.equal((await get(profile)).status, 200)
    t.match(await health(), { status: 'ok', database: { status: 'ok' } })

    const mend = harm(dir)
    const rotated: string[] = []
    for (let refreshes = 1; refreshes <= 2; refreshes++) {
      spotify.expireAccessTokens()
      t.equal((await get(profile)).status, 200, 'reads go on')
      rotated.push(spotify.refreshToken)
      t.match(await health(), {
        status: 'degraded',
        connections: [{ state: 'ok' }],
        database: { status: 'failing', detail: /Do not stop the service/ },
      })
    }
    t.match(
      log.findLast(({ level }) => level === 50),
      {
        msg: /could not be stored/,
        err: { message: /the database can't store the refresh token/ },
      },
    )
    for (const token of rotated) t.notOk(JSON.stringify(log).includes(token))

    mend()
    clock.nowMs += 5_000
    t.match(await health(), { status: 'ok', database: { status: 'ok' } }, 'stored by itself')
    await close()
    const restarted = await build(t, { clock, spotify, env })
    t.equal((await restarted.get(profile)).status, 200, 'the last rotated token is there')
  })
}

t.test('a full disk is told at start, in one line', { skip: noSmallDisk }, async (t) => {
  const dir = mountSmallDisk(t)
  const spotify = await startSimulator()
  t.teardown(() => spotify.close())
  const start = (name: string) =>
    build(t, { spotify, env: { DATABASE_URL: `sqlite:${dir}/${name}` } })
  await (await start('old.db')).close()
  fillDisk(dir)
  for (const name of ['old.db', 'new.db']) {
    await t.rejects(start(name), {
      name: 'ConfigError',
      message: /^DATABASE_URL: .*can't be opened for writing.*$/,
    })
  }
})

for (const [name, content] of [
  ['has 0 bytes', ''],
  ['is rubbish', 'no database, but something of the owner'.repeat(100)],
] as const) {
  t.test(`a database file that ${name} does not stop the service`, async (t) => {
    const dir = t.testdir({ 'connector.db': content })
    const spotify = await startSimulator({ rotate: true })
    t.teardown(() => spotify.close())
    const env = {
      DATABASE_URL: `sqlite:${dir}/connector.db`,
      SPOTIFY_REFRESH_TOKEN: spotify.refreshToken,
    }
    const { get, log, close } = await build(t, { spotify, env })
    t.equal((await get(profile)).status, 200, "with the environment's token")
    t.equal((await get('/health')).body.status, 'ok')
    const warnings = log.filter(({ level }) => level === 40)
    if (content === '') t.strictSame(warnings, [])
    else {
      const aside = `${dir}/connector.db.unreadable-1`
      t.equal(readFileSync(aside, 'utf8'), content, 'it is kept')
      t.equal(warnings.length, 1)
      t.match(warnings, [{ kept_as: aside }])
    }
    await close()
    const restarted = await build(t, { spotify, env })
    t.equal((await restarted.get(profile)).status, 200, 'with the rotated token')
  })
}
