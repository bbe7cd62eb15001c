import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { Agent, type Dispatcher, errors } from 'undici'
import { exchange } from './exchange.ts'
import { UpstreamFault } from './fault.ts'

const maxBodyBytes = 64 * 1024 * 1024

const decoders = new Map<
  string,
  (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
>([
  ['gzip', promisify(zlib.gunzip)],
  ['x-gzip', promisify(zlib.gunzip)],
  ['deflate', promisify(zlib.inflate)],
  ['br', promisify(zlib.brotliDecompress)],
  ['zstd', promisify(zlib.zstdDecompress)],
])

/** Limits of one request, in ms: to connect, to the headers, between two bytes, in all. */
export type Timeouts = { connectMs: number; headersMs: number; idleMs: number; totalMs: number }

/** One request. `path` begins behind the origin and holds the query. */
export type WireRequest = {
  method: 'GET' | 'POST'
  url: string
  headers: Record<string, string>
  body?: string
}

/** One answer, whole: `text` is the body, decompressed and read as UTF-8, whatever it is. */
export type Answer = {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

/** What sends requests. `send` throws UpstreamFault, or the signal's reason once it is aborted. */
export type Transport = {
  send(request: WireRequest, signal?: AbortSignal): Promise<Answer>
  close(): Promise<void>
}

export const defaultTimeouts: Timeouts = {
  connectMs: 5_000,
  headersMs: 10_000,
  idleMs: 10_000,
  totalMs: 60_000,
}

/**
 * Sends requests over undici: the only file that knows it and its errors. Redirects are not
 * followed: a token must never go to a host that an answer names.
 */
export function createTransport(timeouts: Timeouts = defaultTimeouts): Transport {
  const agent = new Agent({
    // HTTP/1.1 on purpose: over HTTP/2 all pages share one connection, and die with it.
    allowH2: false,
    connect: { timeout: timeouts.connectMs },
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.idleMs,
  })
  return {
    close: () => agent.destroy(),
    async send(request, signal) {
      signal?.throwIfAborted()
      // A byte now and then keeps undici's idle timer quiet for ever, so the whole has its own.
      // AbortSignal.timeout and AbortSignal.any would outlive the request, by a minute each.
      const either = new AbortController()
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        either.abort(new Error('no whole answer in time'))
      }, timeouts.totalMs)
      const abort = () => either.abort(signal?.reason)
      signal?.addEventListener('abort', abort)
      try {
        return await answerTo(agent, request, either.signal, signal)
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (isLate) {
          throw new UpstreamFault('timeout', `no whole answer within ${timeouts.totalMs / 1000} s`)
        }
        throw toFault(error, timeouts)
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
    },
  }
}

async function answerTo(
  agent: Dispatcher,
  request: WireRequest,
  signal: AbortSignal,
  callers: AbortSignal | undefined,
): Promise<Answer> {
  const { origin, pathname, search } = new URL(request.url)
  const options = {
    origin,
    path: pathname + search,
    method: request.method,
    headers: { 'accept-encoding': 'gzip', ...request.headers },
    body: request.body ?? null,
  }
  const answer = await exchange(agent, options, signal, { maxBytes: maxBodyBytes, tooLarge })
  const { status, headers } = answer
  try {
    if (answer.broken !== undefined) throw answer.broken
    const body = await decode(answer.body, headers['content-encoding'])
    return { status, headers, text: body.toString('utf8') }
  } catch (error) {
    // A refusal is one whatever becomes of its body: a 429 must not be asked again at once.
    if (status === 200 || callers?.aborted) throw error
    return { status, headers, text: '' }
  }
}

function tooLarge(): UpstreamFault {
  return new UpstreamFault('error', 'an answer of over 64 MiB')
}

/** Proxies and Spotify itself compress unasked, error bodies too: what the header says is done. */
async function decode(body: Buffer, encoding: string | string[] | undefined): Promise<Buffer> {
  let decoded = body
  const names = String(encoding ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
  if (body.length === 0) return body
  for (const name of names.reverse()) {
    const decoder = decoders.get(name)
    if (!decoder) throw new UpstreamFault('error', `an answer in an unknown encoding (${name})`)
    try {
      decoded = await decoder(decoded, { maxOutputLength: maxBodyBytes })
    } catch (cause) {
      throw new UpstreamFault('error', `an answer whose ${name} encoding is broken`, cause)
    }
  }
  return decoded
}

function toFault(error: unknown, timeouts: Timeouts): UpstreamFault {
  if (error instanceof UpstreamFault) return error
  if (error instanceof errors.ConnectTimeoutError) {
    return new UpstreamFault(
      'timeout',
      `no connection within ${timeouts.connectMs / 1000} s`,
      error,
    )
  }
  if (error instanceof errors.HeadersTimeoutError) {
    return new UpstreamFault('timeout', `no answer within ${timeouts.headersMs / 1000} s`, error)
  }
  if (error instanceof errors.BodyTimeoutError) {
    return new UpstreamFault(
      'timeout',
      `the answer stood still for ${timeouts.idleMs / 1000} s`,
      error,
    )
  }
  // Sockets, DNS and TLS name their failures by code; the messages may hold URLs.
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return new UpstreamFault('error', `the connection failed (${code ?? name})`, error)
}
