/** Why a request waits at the gate: Spotify has limited us, or our own bucket is empty. */
export type GateReason = 'limited' | 'bucket'

/**
 * Whoever counts what goes on towards Spotify. It is called as things happen, and must neither
 * throw nor take long. Endpoints are the few paths that we ask, without their query.
 */
export type SpotifyObserver = {
  /**
   * A request has ended: `status` is the answer's, or `timeout`, `error` or `aborted` where there
   * was none.
   */
  answered(endpoint: string, status: number | 'timeout' | 'error' | 'aborted', ms: number): void
  /** A request is asked again, because of `why`: a failure's code, or `unauthorised`. */
  retried(endpoint: string, why: string): void
  /** A request has waited at the gate. */
  waited(endpoint: string, reason: GateReason, ms: number): void
  /** A refresh of a connection's access token has ended: `refreshed`, or why not. */
  refreshed(connection: string, outcome: string): void
}
