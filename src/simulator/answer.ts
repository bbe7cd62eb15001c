/** A request as the simulated services, and whoever adds a fault, look at it. */
export type SimulatedRequest = {
  service: 'api' | 'accounts' | 'none'
  method: string
  /** Without the service's prefix and the query: `/me/tracks`, `/api/token`. */
  path: string
  /** Of a parameter that is given twice the last counts. */
  query: Record<string, string>
  headers: Record<string, string | string[] | undefined>
  /** As it came; empty when there was none, or none that could be read. */
  body: Buffer
}

/** An answer before it goes out. An object that is no Buffer is sent as JSON. */
export type Answer = {
  status: number
  headers: Record<string, string | string[]>
  body: object | string | Buffer
}

/** The Web API's refusal of a request, thrown where the reason is found. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** The fields of a form. Only a form is read: anything else looks to Spotify as if it were empty. */
export function formOf({ body, headers }: SimulatedRequest): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(String(headers['content-type']))
  return new URLSearchParams(isForm ? body.toString() : '')
}

/** An answer whose body is sent as JSON. */
export function json(status: number, body: object, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body,
  }
}

/** An answer in plain text. */
export function text(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
}

/** An answer that was meant for a browser. */
export function html(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body }
}

/** The Web API's error object. */
export function apiError(status: number, message: string, headers: Answer['headers'] = {}): Answer {
  return json(status, { error: { status, message } }, headers)
}
