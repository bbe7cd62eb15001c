import type { Clock } from './clock.ts'
import { ShortLived } from './short-lived.ts'

const lifetimeMs = 15 * 60_000
const most = 10_000

/**
 * One-time tickets, good for a quarter of an hour, by which a browser begins the consent of one
 * connection where access keys are set: it can't send one. In memory alone, the newest 10,000.
 */
export class Tickets {
  readonly #connections: ShortLived<string>

  constructor(clock: Pick<Clock, 'now'>) {
    this.#connections = new ShortLived({ lifetimeMs, most, clock })
  }

  /** A new ticket for a connection, which need not exist yet. It must not be logged. */
  issue(connection: string): string {
    return this.#connections.add(connection)
  }

  /** Whether a ticket is good for a connection; then it is used up. */
  spend(ticket: string, connection: string): boolean {
    const found = this.#connections.find(ticket)
    if (found?.value !== connection) return false
    this.#connections.delete(ticket)
    return !found.isLate
  }
}
