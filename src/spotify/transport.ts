import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { type Dispatcher, errors } from 'undici'
import { createDispatchers, type Network, type ProxyAddress } from './dispatchers.ts'
import { withEither } from './either-signal.ts'
import { exchange } from './exchange.ts'
import { UpstreamFault } from './fault.ts'
import { proxyFault } from './proxy-fault.ts'

const maxBodyBytes = 64 * 1024 * 1024

/** How a connection fails that was never made. */
const unconnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

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
 * Sends requests over undici: this file and those of its dispatchers alone know it. Redirects are
 * not followed: a token must never go to a host that an answer names.
 */
export function createTransport(
  timeouts: Timeouts = defaultTimeouts,
  network: Network = {},
): Transport {
  const dispatchers = createDispatchers(timeouts, network)
  return {
    close: () => dispatchers.close(),
    async send(request, signal) {
      signal?.throwIfAborted()
      const url = new URL(request.url)
      const { dispatcher, proxy } = dispatchers.of(url)
      // A byte now and then keeps undici's idle timer quiet for ever, so the whole has its own.
      // AbortSignal.timeout would outlive the request by a minute.
      const late = new AbortController()
      const timer = setTimeout(
        () => late.abort(new Error('no whole answer in time')),
        timeouts.totalMs,
      )
      try {
        const options = optionsOf(url, request, timeouts)
        return await withEither(late.signal, signal, (either) =>
          answerTo(dispatcher, options, either, signal),
        )
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (late.signal.aborted) {
          throw new UpstreamFault('timeout', `no whole answer within ${timeouts.totalMs / 1000} s`)
        }
        throw toFault(error, timeouts, url, proxy)
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

function optionsOf(
  { origin, pathname, search }: URL,
  { method, headers, body }: WireRequest,
  { headersMs, idleMs }: Timeouts,
): Dispatcher.DispatchOptions {
  return {
    origin,
    path: pathname + search,
    method,
    headers: { 'accept-encoding': 'gzip', ...headers },
    body: body ?? null,
    // Here and not of the dispatcher: the one of a proxy does not hand them down.
    headersTimeout: headersMs,
    bodyTimeout: idleMs,
  }
}

async function answerTo(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  callers: AbortSignal | undefined,
): Promise<Answer> {
  const answer = await exchange(dispatcher, options, signal, { maxBytes: maxBodyBytes, tooLarge })
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

function toFault(
  error: unknown,
  timeouts: Timeouts,
  url: URL,
  proxy: ProxyAddress | null,
): UpstreamFault {
  if (error instanceof UpstreamFault) return error
  const itsFault = proxy && proxyFault(error, url, proxy)
  if (itsFault) return itsFault
  if (error instanceof errors.ConnectTimeoutError) {
    return new UpstreamFault(
      'timeout',
      `no connection within ${timeouts.connectMs / 1000} s`,
      error,
      undefined,
      { isUnsent: true },
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
  return new UpstreamFault('error', `the connection failed (${code ?? name})`, error, undefined, {
    isUnsent: unconnected.has(String(code)),
  })
}
