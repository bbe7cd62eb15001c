import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { ConnectorError } from './errors.ts'

const retryAfterS = 5

/**
 * When the event loop does not keep up: its turns are late by half a second on the average of five
 * seconds, while a probe waits for one. An average, so that one long turn is no overload, and over
 * so long that the answer does not change from one moment to the next.
 */
const defaultPressure = { maxDelayMs: 500, sampleMs: 5_000 }

/** The event loop's limit: a mean delay in ms, looked at every so many ms. */
export type Pressure = typeof defaultPressure

/** How much the service has to do, and whether it can take more. */
export type Load = {
  /** Takes a place for a read; what it gives frees it, called once. Throws `overloaded` where there is none. */
  enter(): () => void
  /** Why another read would be refused; null: it would not. */
  objection(): ConnectorError | null
}

/**
 * Counts the reads that run, and watches the event loop. Reads beyond what it can do are refused
 * at once rather than queued: all of them together would become slower and slower.
 */
export async function watchLoad(
  app: FastifyInstance,
  mostReads: number,
  { maxDelayMs, sampleMs }: Pressure = defaultPressure,
): Promise<Load> {
  await app.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    sampleInterval: sampleMs,
    // It would refuse every request, `/livez` too, and with an answer of its own.
    pressureHandler: () => undefined,
  })
  let running = 0
  const objection = () => {
    if (running >= mostReads) {
      return overloaded(
        `As many reads are running as may (MAX_CONCURRENT_READS is ${mostReads}); another one is not queued.`,
      )
    }
    if (!app.isUnderPressure()) return null
    return overloaded(
      `The service has more to do than it can at the moment: its event loop is late by more than ${maxDelayMs} ms.`,
    )
  }
  return {
    objection,
    enter() {
      const refusal = objection()
      if (refusal) throw refusal
      running += 1
      return () => {
        running -= 1
      }
    },
  }
}

function overloaded(why: string): ConnectorError {
  return new ConnectorError('overloaded', `${why} Come back in ${retryAfterS} s.`, { retryAfterS })
}
