import { tokenEndpoint } from '../../src/spotify/token-endpoint.ts'
import type { Answer, Transport, WireRequest } from '../../src/spotify/transport.ts'

/** Answers the nth request of its kind, from 1; what it throws, `send` rejects with. */
export type Respond = (request: WireRequest, nth: number) => Answer | Promise<Answer>

/** A transport without a wire: each service answers as its function says, which a test may change. */
export class FakeTransport implements Transport {
  /** Without a function of its own the accounts service gives `access-1`, `access-2`, … */
  token: Respond = (_request, nth) => tokenAnswer({ access_token: `access-${nth}` })
  api: Respond = () => json(200, { id: 'anna' })
  readonly tokenRequests: WireRequest[] = []
  readonly apiRequests: WireRequest[] = []

  async send(request: WireRequest, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted()
    const isToken = request.url.endsWith(tokenEndpoint)
    const sent = isToken ? this.tokenRequests : this.apiRequests
    sent.push(request)
    return (isToken ? this.token : this.api)(request, sent.length)
  }

  async close(): Promise<void> {}
}

/** An answer with a JSON body. */
export function json(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, headers, text: JSON.stringify(body) }
}

/** An answer with any body. */
export function text(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers, text: body }
}

/** What the accounts service answers to a refresh, but for the fields given; undefined leaves out. */
export function tokenAnswer(fields: Record<string, unknown> = {}): Answer {
  return json(200, {
    access_token: 'access',
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'user-read-private user-top-read',
    ...fields,
  })
}

/** What the accounts service answers to a refresh that it refuses. */
export function tokenRefusal(error: string, error_description: string): Answer {
  return json(400, { error, error_description })
}

/** Answers with each in turn, the last one for ever; one that is an Error is thrown. */
export function inTurn(...answers: (Answer | Error)[]): Respond {
  return (_request, nth) => {
    const answer = answers[Math.min(nth, answers.length) - 1]
    if (answer === undefined || answer instanceof Error) throw answer
    return answer
  }
}
