import { pipeline, Readable } from 'node:stream'
import zlib from 'node:zlib'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** In bytes: what is shorter fits into one packet anyway. */
const threshold = 1024
const compressible = /^text\/|[/+](json|javascript|xml)\b|x-ndjson/

/**
 * Sends answers with gzip to who takes it: streams piece by piece, and lines as they come. HEAD
 * gets the headers of GET. Not by @fastify/compress, which gives HEAD others, tells caches nothing
 * where it does not compress, and leaves its compressor behind when a reader goes away. Every
 * client takes gzip; brotli would make answers a fifth smaller.
 */
export function registerCompression(app: FastifyInstance): void {
  app.addHook('onSend', ({ method, headers }, reply, payload, done) => {
    const length = lengthOf(reply, payload)
    // Most answers are short, so this is looked at first.
    if (length !== null && length < threshold) return done(null, payload)
    const isBodyless = payload === null || payload === undefined || payload === ''
    if (isBodyless && method !== 'HEAD') return done(null, payload)
    const type = String(reply.getHeader('content-type') ?? '')
    if (!compressible.test(type) || reply.hasHeader('content-range')) return done(null, payload)
    if (reply.hasHeader('content-encoding')) return done(null, payload)
    const vary = reply.getHeader('vary')
    reply.header('vary', vary === undefined ? 'accept-encoding' : `${vary}, accept-encoding`)
    if (!takesGzip(headers['accept-encoding'])) return done(null, payload)
    reply.header('content-encoding', 'gzip').removeHeader('content-length')
    if (isBodyless) return done(null, payload)
    if (payload instanceof Readable) {
      return done(null, gzip(payload, { flush: type.includes('x-ndjson') }))
    }
    zlib.gzip(payload as string | Buffer, done)
  })
}

/**
 * Whether a body may be sent with gzip: the header takes it, and not less gladly than the plain
 * body. Without the header nothing is compressed. Source: RFC 9110, section 12.5.3.
 */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  const weights = new Map(acceptEncoding.split(',').map(readWeight))
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
