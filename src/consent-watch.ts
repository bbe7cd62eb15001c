import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Connections } from './spotify/connections.ts'

const dayMs = 24 * 3600_000
const warnedDays = 14

type Parts = {
  connections: Pick<Connections, 'all'>
  clock: Pick<Clock, 'now'>
  log: Log
}

/** Warns of consents that end within 14 days, or have ended: of each once a day at most. */
export class ConsentWatch {
  readonly #parts: Parts
  readonly #warnedAtMs = new Map<string, number>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Looks at every connection. To be called every now and then; nobody is asked. */
  look(): void {
    const { connections, clock, log } = this.#parts
    const nowMs = clock.now()
    for (const connection of connections.all()) {
      const { name, daysLeft, expiresAtMs } = connection.status()
      if (daysLeft === null || expiresAtMs === null || daysLeft > warnedDays) continue
      const warnedAtMs = this.#warnedAtMs.get(name)
      // A clock set back must not silence it.
      if (warnedAtMs !== undefined && nowMs >= warnedAtMs && nowMs - warnedAtMs < dayMs) continue
      this.#warnedAtMs.set(name, nowMs)
      const when = daysLeft < 0 ? 'has ended' : `ends in ${daysLeft} days`
      log.warn(
        { connection: name, expires_at: new Date(expiresAtMs).toISOString(), days_left: daysLeft },
        `the consent for connection ${name} ${when}: ${connection.remedy()}`,
      )
    }
  }
}
