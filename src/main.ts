import { pino } from 'pino'
import { systemClock } from './clock.ts'
import { type Config, readConfig } from './config.ts'
import { ConfigError } from './errors.ts'
import { Secrets } from './secrets.ts'
import { createService, type Service } from './service.ts'

// A signal to the process group arrives twice: through npm, and directly.
const sameSignalMs = 500

/** Writes one line to stderr and ends: for what is wrong before there is a log, or with it. */
function fail(error: unknown): never {
  const line = error instanceof ConfigError ? `configuration: ${error.message}` : error
  process.stderr.write(`${line instanceof Error ? line.stack : line}\n`)
  process.exit(1)
}

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const secrets = new Secrets()
  const logger = pino({
    level: config.logLevel,
    hooks: { streamWrite: (line) => secrets.scrub(line) },
  })
  for (const warning of config.warnings) logger.warn(warning)
  const service = await createService({ config, secrets, clock: systemClock, logger })

  let stoppingSinceMs: number | undefined
  const stop = async (signal: string) => {
    const nowMs = Date.now()
    if (stoppingSinceMs !== undefined) {
      if (nowMs - stoppingSinceMs > sameSignalMs) process.exit(1)
      return
    }
    stoppingSinceMs = nowMs
    logger.info({ signal }, 'shutting down')
    await service.close()
    logger.info('stopped')
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an uncaught error ends the service')
    process.exit(1)
  })

  if (service.mode === 'demo') {
    logger.warn('DEMO: the Spotify account is simulated and its rows are made up')
  }
  await listen(service, config)
}

async function listen({ app }: Service, { host, port }: Config): Promise<void> {
  try {
    await app.listen({
      // By name, Fastify would listen with a second server that none of our handlers reach.
      host: host === 'localhost' ? '127.0.0.1' : host,
      port,
      listenTextResolver: (address) => `listening: open ${address}/docs`,
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new ConfigError(
        `PORT ${port} of ${host} is in use: stop what listens there, or set another PORT`,
      )
    if (code === 'EACCES')
      throw new ConfigError(`PORT ${port} may not be listened on by this user: set another PORT`)
    if (code && ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code))
      throw new ConfigError(`HOST ${host} is no address of this machine (${code})`)
    throw error
  }
}

main().catch(fail)
