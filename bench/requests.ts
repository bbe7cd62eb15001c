// Requests to Spotify that reading each table of the demo's library costs: `npm run bench:requests`.
import { pino } from 'pino'
import { systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { Secrets } from '../src/secrets.ts'
import { createService } from '../src/service.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { tables } from '../src/tables/index.ts'
import { simulatorEnv } from '../test/helpers/simulator-env.ts'

const simulator = await startSimulator()
const { app, close } = await createService({
  config: readConfig({
    ...simulatorEnv(simulator),
    DATABASE_URL: 'sqlite::memory:',
  }),
  secrets: new Secrets(),
  clock: systemClock,
  logger: pino({ level: 'silent' }),
})
for (const { name } of tables) {
  const before = simulator.stats.api
  const answer = await app.inject({ url: `/tables/${name}/read`, headers: { host: 'localhost' } })
  const { records, skipped = 0 } = answer.json()
  process.stdout.write(
    `${name}: ${records.length} rows, ${skipped} items skipped, ${simulator.stats.api - before} requests\n`,
  )
}
process.stdout.write(`access tokens: ${simulator.stats.token} requests\n`)
await close()
await simulator.close()
