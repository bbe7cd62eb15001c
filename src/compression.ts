import { pipeline, Readable } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** In bytes: what is shorter fits into one packet anyway. */
const threshold = 1024
const compressible = /^text\/|[/+](json|javascript|xml)\b|x-ndjson/
const gzipWhole = promisify(zlib.gzip)

/**
 * Sends answers with gzip to who takes it: streams piece by piece, and lines as they come. HEAD
 * gets the headers of GET. Not by @fastify/compress, which gives HEAD others, tells caches nothing
 * where it does not compress, and leaves its compressor behind when a reader goes away. Every
 * client takes gzip; brotli would make answers a fifth smaller.
 */
export function registerCompression(app: FastifyInstance): void {
  app.addHook('onSend', async ({ method, headers }, reply, payload) => {
    const type = String(reply.getHeader('content-type') ?? '')
    if (!compressible.test(type) || reply.hasHeader('content-range')) return payload
    if (reply.hasHeader('content-encoding')) return payload
    const length = lengthOf(reply, payload)
    if (length !== null && length < threshold) return payload
    const isBodyless = payload === null || payload === undefined || payload === ''
    if (isBodyless && method !== 'HEAD') return payload
    const vary = reply.getHeader('vary')
    reply.header('vary', vary === undefined ? 'accept-encoding' : `${vary}, accept-encoding`)
    if (!takesGzip(headers['accept-encoding'])) return payload
    reply.header('content-encoding', 'gzip').removeHeader('content-length')
    if (isBodyless) return payload
    if (payload instanceof Readable) return gzip(payload, { flush: type.includes('x-ndjson') })
    return gzipWhole(payload as string | Buffer)
  })
}

/**
 * Whether a body may be sent with gzip: the header takes it, and not less gladly than the plain
 * body. Without the header nothing is compressed. Source: RFC 9110, section 12.5.3.
 */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map((acceptEncoding ?? '').split(',').map(readWeight))
  const weight = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0
  return weight > 0 && weight >= (weights.get('identity') ?? 0)
}

/**
 * The stream with gzip. With `flush` every chunk leaves when it comes, and does not wait for more
 * until there is enough to compress well. Source: zlib's manual, `Z_SYNC_FLUSH`.
 */
export function gzip(stream: Readable, { flush }: { flush: boolean }): Readable {
  const compressor = zlib.createGzip(flush ? { flush: zlib.constants.Z_SYNC_FLUSH } : {})
  // Who reads it hears of a failure of either; who stops reading it ends both.
  return pipeline(stream, compressor, () => undefined)
}

/** How many bytes the body has; null: nobody knows yet. */
function lengthOf(reply: FastifyReply, payload: unknown): number | null {
  if (typeof payload === 'string' && payload !== '') return Buffer.byteLength(payload)
  if (Buffer.isBuffer(payload)) return payload.length
  const told = reply.getHeader('content-length')
  return told === undefined ? null : Number(told)
}

function readWeight(text: string): [coding: string, q: number] {
  const [coding = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const value = q === undefined ? 1 : Number(q)
  return [coding, value >= 0 && value <= 1 ? value : 0]
}
