import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { type Clock, systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import type { Pressure } from '../../src/load.ts'
import { Secrets } from '../../src/secrets.ts'
import { createService } from '../../src/service.ts'
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/simulator.ts'
import type { Timeouts } from '../../src/spotify/transport.ts'
import { simulatorEnv } from './simulator-env.ts'

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

type Options = {
  simulator?: SimulatorOptions
  /** A simulator that runs already, and goes on when the service is closed. */
  spotify?: Simulator
  /** Variables of the environment beside those that point at the simulator; undefined unsets. */
  env?: NodeJS.ProcessEnv
  clock?: Clock
  timeouts?: Partial<Timeouts>
  pressure?: Pressure
}

// A test does other work in the same event loop, on a machine that may be busy.
const noPressure: Pressure = { maxDelayMs: 60_000, sampleMs: 5_000 }

/** A service over a simulated Spotify, and what it has logged. */
export type Built = {
  app: FastifyInstance
  simulator: Simulator
  /** The log lines so far, read back. */
  log: Record<string, unknown>[]
  /** GET, as JSON. */
  get(
    url: string,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: Body; text: string }>
  /** Listens on a free loopback port, and gives it. */
  listen(): Promise<number>
  /** Ends the service, and the simulator that was started for it. */
  close(): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
type Body = any

/** Starts a service over the simulator; both end with the test. Attempts follow without waiting. */
export async function build(t: Test, options: Options = {}): Promise<Built> {
  const simulator = options.spotify ?? (await startSimulator(options.simulator))
  const log: Record<string, unknown>[] = []
  const secrets = new Secrets()
  const logger = pino(
    { level: 'trace', hooks: { streamWrite: (line) => secrets.scrub(line) } },
    { write: (line: string) => log.push(JSON.parse(line)) },
  )
  const service = await createService({
    config: readConfig({
      ...simulatorEnv(simulator),
      SPOTIFY_REQUESTS_PER_MINUTE: '0',
      DATABASE_URL: 'sqlite::memory:',
      ...options.env,
    }),
    secrets,
    clock: options.clock ?? systemClock,
    logger,
    backoff: () => 0,
    pressure: options.pressure ?? noPressure,
    timeouts: { connectMs: 500, headersMs: 300, idleMs: 300, totalMs: 900, ...options.timeouts },
  })
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= service.close().then(() => (options.spotify ? undefined : simulator.close()))
    return closed
  }
  t.teardown(close)
  return {
    app: service.app,
    simulator,
    log,
    close,
    async listen() {
      await service.app.listen({ host: '127.0.0.1', port: 0 })
      return (service.app.server.address() as AddressInfo).port
    },
    async get(url) {
      const answer = await service.app.inject({ url, headers: { host: 'localhost' } })
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: JSON.parse(answer.body),
        text: answer.body,
      }
    },
  }
}
