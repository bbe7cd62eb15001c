import { pino } from 'pino'
import { systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { Secrets } from '../src/secrets.ts'
import { createService } from '../src/service.ts'

/** The OpenAPI document of the routes as they are, as `openapi/openapi.json` holds it. */
export async function openApiText(): Promise<string> {
  const service = await createService({
    config: readConfig({
      SPOTIFY_CLIENT_ID: 'id',
      SPOTIFY_CLIENT_SECRET: 'secret',
      DATABASE_URL: 'sqlite::memory:',
    }),
    secrets: new Secrets(),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  })
  await service.app.ready()
  const text = `${JSON.stringify(service.app.swagger(), null, 2)}\n`
  await service.close()
  return text
}
