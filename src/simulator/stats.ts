import type { SimulatedRequest } from './answer.ts'

/** A request as it is remembered. */
export type RequestRecord = {
  method: string
  path: string
  query: Record<string, string>
  /** Of the answer; null while there is none, and for ever where none was sent. */
  status: number | null
  /** When it came, Unix ms of the simulator's clock. */
  atMs: number
}

/** A demo may run for months: more requests than these are not remembered. */
const remembered = 10_000

/** What was asked of the simulator since it started or `reset` was called. */
export class Stats {
  /** Requests to the Web API. */
  api = 0
  /** Requests to `/api/token`. */
  token = 0
  /** The last 10,000 requests of every kind, in the order they came. */
  readonly requests: RequestRecord[] = []
  /** Web API requests that have come and whose answer has not ended yet. */
  inFlight = 0
  /** The most of those there were at once. */
  maxInFlight = 0

  /** Forgets what was. */
  reset(): void {
    this.api = 0
    this.token = 0
    this.requests.length = 0
    this.maxInFlight = this.inFlight
  }

  /** Remembers a request that has just come. `ended` is to be called once when it is over. */
  came(request: SimulatedRequest, atMs: number): { record: RequestRecord; ended: () => void } {
    const { method, path, query } = request
    const record = { method, path, query: { ...query }, status: null, atMs }
    this.requests.push(record)
    if (this.requests.length > remembered) this.requests.shift()
    if (request.path === '/api/token') this.token += 1
    if (request.service !== 'api') return { record, ended: () => {} }
    this.api += 1
    this.inFlight += 1
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight)
    const ended = () => {
      this.inFlight -= 1
    }
    return { record, ended }
  }
}
