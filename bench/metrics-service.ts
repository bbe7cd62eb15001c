// A service for `bench/metrics.ts`; with COUNTS=false its metrics do nothing.
import { pino } from 'pino'
import { systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import type { Metrics } from '../src/metrics/metrics.ts'
import { Secrets } from '../src/secrets.ts'
import { createService } from '../src/service.ts'

const { COUNTS, PORT, UPSTREAM = '' } = process.env
const nothing = () => undefined
const silent: Metrics = {
  contentType: 'text/plain',
  text: async () => '',
  spotify: { answered: nothing, retried: nothing, waited: nothing, refreshed: nothing },
  reads: { begun: nothing, ended: nothing },
  answered: nothing,
  databaseFailed: nothing,
  watch: nothing,
}

const { app } = await createService({
  config: readConfig({
    SPOTIFY_CLIENT_ID: 'bench',
    SPOTIFY_CLIENT_SECRET: 'bench-secret',
    SPOTIFY_REFRESH_TOKEN: 'bench-token',
    SPOTIFY_API_URL: UPSTREAM,
    SPOTIFY_ACCOUNTS_URL: UPSTREAM,
    SPOTIFY_REQUESTS_PER_MINUTE: '0',
    DATABASE_URL: 'sqlite::memory:',
  }),
  secrets: new Secrets(),
  clock: systemClock,
  logger: pino({ level: 'error' }),
  ...(COUNTS === 'false' && { metrics: silent }),
})
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
