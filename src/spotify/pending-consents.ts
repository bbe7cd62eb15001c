import type { Clock } from '../clock.ts'
import { ConnectorError } from '../errors.ts'
import { ShortLived, unguessable } from '../short-lived.ts'

const lifetimeMs = 10 * 60_000
const most = 1000

/** A consent that was begun: where it leads to, and what only its exchange may tell. */
export type Begun = { connection: string; redirectUri: string; verifier: string }

type Pending = Begun & { browser: string; isUsed: boolean }

/**
 * The consents that were begun and have not come back, by their `state`: in memory alone, the newest
 * thousand. Source: RFC 6749, section 10.12.
 */
export class PendingConsents {
  readonly #pending: ShortLived<Pending>

  constructor(clock: Clock) {
    this.#pending = new ShortLived({ lifetimeMs, most, clock })
  }

  /** Begins one for a browser, which is known by a secret of its own. Gives its `state`. */
  begin(connection: string, redirectUri: string, browser: string): Begun & { state: string } {
    const begun = { connection, redirectUri, verifier: unguessable() }
    return { ...begun, state: this.#pending.add({ ...begun, browser, isUsed: false }) }
  }

  /**
   * What came back with this `state`, once, within ten minutes and to the browser that began it.
   * Throws `consent-failed`; another browser does not use the state up.
   */
  take(state: string, browser: string | null): Begun {
    const found = this.#pending.find(state)
    if (!found) throw refusal('is not known: it was not begun here, or the service was restarted')
    const { value: pending, isLate } = found
    const { connection, redirectUri, verifier } = pending
    if (pending.browser !== browser) {
      throw refusal('was begun in another browser, where it can still be finished', connection)
    }
    if (pending.isUsed) {
      throw refusal(
        'came back before, and counts once. If this page was only loaded again, what it said the first time still holds',
        connection,
      )
    }
    pending.isUsed = true
    if (isLate) throw refusal('was begun more than 10 minutes ago', connection)
    return { connection, redirectUri, verifier }
  }
}

function refusal(why: string, connection?: string): ConnectorError {
  return new ConnectorError(
    'consent-failed',
    `This consent ${why}. Nothing was changed. To consent, begin again.`,
    { members: connection === undefined ? {} : { connection } },
  )
}
