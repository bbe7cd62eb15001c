import { ConnectorError } from '../errors.ts'

/**
 * A failure of one request to Spotify that another attempt may mend: never seen by callers.
 * After the last attempt it becomes a ConnectorError through `toError`.
 */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault'
  readonly kind: 'error' | 'timeout'
  readonly #advice: string

  /** `advice` says, in a sentence, what the person who reads of it can do. */
  constructor(
    kind: 'error' | 'timeout',
    message: string,
    cause?: unknown,
    advice = 'Try again later.',
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.#advice = advice
  }

  /** The failure that it comes to when no attempt mends it. */
  get code(): 'upstream-timeout' | 'upstream-error' {
    return this.kind === 'timeout' ? 'upstream-timeout' : 'upstream-error'
  }

  /** What the caller is told when `attempts` requests to `endpoint` have failed, this one last. */
  toError(endpoint: string, attempts: number): ConnectorError {
    const times = attempts === 1 ? 'once' : `${attempts} times`
    return new ConnectorError(
      this.code,
      `Spotify was asked for ${endpoint} ${times}; the last failure: ${this.message}. ${this.#advice}`,
      { cause: this },
    )
  }
}
