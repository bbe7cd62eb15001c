import type { Clock } from './clock.ts'
import { unguessable } from './spotify/authorisation.ts'

const lifetimeMs = 15 * 60_000
const most = 10_000

/**
 * One-time tickets, good for a quarter of an hour, by which a browser begins the consent of one
 * connection where access keys are set: it can't send one. In memory alone, the newest 10,000.
 */
export class Tickets {
  readonly #clock: Pick<Clock, 'now'>
  readonly #tickets = new Map<string, { connection: string; issuedAtMs: number }>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** A new ticket for a connection, which need not exist yet. It must not be logged. */
  issue(connection: string): string {
    for (const oldest of this.#tickets.keys()) {
      if (this.#tickets.size < most) break
      this.#tickets.delete(oldest)
    }
    const ticket = unguessable()
    this.#tickets.set(ticket, { connection, issuedAtMs: this.#clock.now() })
    return ticket
  }

  /** Whether a ticket is good for a connection; then it is used up. */
  spend(ticket: string, connection: string): boolean {
    const found = this.#tickets.get(ticket)
    if (found?.connection !== connection) return false
    this.#tickets.delete(ticket)
    // A clock set back must not make it longer.
    const ageMs = this.#clock.now() - found.issuedAtMs
    return ageMs >= 0 && ageMs <= lifetimeMs
  }
}
