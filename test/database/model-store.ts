import fc from 'fast-check'
import type { Origin, Store, StoredBan, StoredConsent } from '../../src/database/store.ts'

type Modelled = Pick<
  Store,
  'openConsent' | 'saveRefreshToken' | 'markNeedsConsent' | 'clearMarks' | 'bans' | 'saveBan'
>
type Step = typeof arbitraryStep extends fc.Arbitrary<infer T> ? T : never

/** One thing that may be done to a store. */
export const arbitraryStep = fc.record({
  act: fc.constantFrom('open', 'save', 'mark', 'clear', 'ban', 'reopen'),
  connection: fc.constantFrom('a', 'b'),
  text: fc.string({ minLength: 1, unit: 'grapheme' }),
  endpoint: fc.constantFrom(null, '/me/albums', '/me/tracks'),
  endsInMs: fc.integer({ min: -2, max: 8 }),
})

/** Takes a step, under names that no other run uses, and tells what the store holds after it. */
export function take(step: Step, store: Modelled, run: number, nowMs: number) {
  const clientId = `app ${run}`
  const origin = { connection: `${step.connection} ${run}`, clientId, fingerprint: 'f' }
  if (step.act === 'save') store.saveRefreshToken(origin, step.text, nowMs)
  if (step.act === 'mark') store.markNeedsConsent(origin, step.text, nowMs)
  if (step.act === 'ban') store.saveBan(clientId, step.endpoint, nowMs + step.endsInMs, nowMs)
  const cleared = step.act === 'clear' ? store.clearMarks(origin.connection) : 0
  return { cleared, consent: store.openConsent(origin, nowMs), bans: store.bans(clientId) }
}

/** What a store promises, said in the plainest way; for one app with one token a connection. */
export class ModelStore implements Modelled {
  readonly #consents = new Map<string, StoredConsent>()
  readonly #bans = new Map<string | null, number>()

  openConsent({ connection }: Origin, firstSeenAtMs: number): StoredConsent {
    const fresh = { refreshToken: null, needsConsent: null, account: null, firstSeenAtMs }
    const row = this.#consents.get(connection) ?? fresh
    this.#consents.set(connection, row)
    return row
  }

  saveRefreshToken(origin: Origin, token: string, nowMs: number): void {
    this.openConsent(origin, nowMs).refreshToken = token
  }

  markNeedsConsent(origin: Origin, reason: string, atMs: number): void {
    this.openConsent(origin, atMs).needsConsent = { reason, atMs }
  }

  clearMarks(connection: string): number {
    const row = this.#consents.get(connection)
    if (!row?.needsConsent) return 0
    row.needsConsent = null
    return 1
  }

  bans(_clientId: string): StoredBan[] {
    return [null, '/me/albums', '/me/tracks'].flatMap((endpoint) => {
      const untilMs = this.#bans.get(endpoint)
      return untilMs === undefined ? [] : [{ endpoint, untilMs }]
    })
  }

  saveBan(_clientId: string, endpoint: string | null, untilMs: number, nowMs: number): void {
    this.#bans.set(endpoint, Math.max(untilMs, this.#bans.get(endpoint) ?? untilMs))
    for (const [key, endsAtMs] of this.#bans) if (endsAtMs <= nowMs) this.#bans.delete(key)
  }
}
