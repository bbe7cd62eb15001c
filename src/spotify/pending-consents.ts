import type { Clock } from '../clock.ts'
import { ConnectorError } from '../errors.ts'
import { unguessable } from './authorisation.ts'

const lifetimeMs = 10 * 60_000
const most = 1000

/** A consent that was begun: where it leads to, and what only its exchange may tell. */
export type Begun = { connection: string; redirectUri: string; verifier: string }

type Pending = Begun & { browser: string; begunAtMs: number; isUsed: boolean }

/**
 * The consents that were begun and have not come back, by their `state`: in memory alone, the newest
 * thousand. Source: RFC 6749, section 10.12.
 */
export class PendingConsents {
  readonly #clock: Clock
  readonly #byState = new Map<string, Pending>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins one for a browser, which is known by a secret of its own. Gives its `state`. */
  begin(connection: string, redirectUri: string, browser: string): Begun & { state: string } {
    for (const oldest of this.#byState.keys()) {
      if (this.#byState.size < most) break
      this.#byState.delete(oldest)
    }
    const state = unguessable()
    const begun = { connection, redirectUri, verifier: unguessable() }
    this.#byState.set(state, { ...begun, browser, begunAtMs: this.#clock.now(), isUsed: false })
    return { ...begun, state }
  }

  /**
   * What came back with this `state`, once, within ten minutes and to the browser that began it.
   * Throws `consent-failed`; another browser does not use the state up.
   */
  take(state: string, browser: string | null): Begun {
    const pending = this.#byState.get(state)
    if (!pending) throw refusal('is not known: it was not begun here, or the service was restarted')
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
    // A clock set back must not make it longer.
    const ageMs = this.#clock.now() - pending.begunAtMs
    if (ageMs < 0 || ageMs > lifetimeMs) {
      throw refusal('was begun more than 10 minutes ago', connection)
    }
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
