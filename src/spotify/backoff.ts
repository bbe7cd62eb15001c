/** How long to wait before the attempt that follows `attempt` failed ones, in ms. */
export type Backoff = (attempt: number) => number

type Options = { baseMs?: number; capMs?: number; random?: () => number }

/**
 * Exponential backoff with full jitter: anything from 0 to `baseMs` × 2^(attempt - 1), at most
 * `capMs`. Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function fullJitter({
  baseMs = 500,
  capMs = 8000,
  random = Math.random,
}: Options = {}): Backoff {
  return (attempt) => Math.round(random() * Math.min(capMs, baseMs * 2 ** (attempt - 1)))
}
