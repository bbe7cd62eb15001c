import type { FastifyReply } from 'fastify'

/** Is aborted when whoever asked is there no more, or has the answer. */
export function readerGone({ raw }: FastifyReply): AbortSignal {
  const reader = new AbortController()
  raw.once('close', () => reader.abort(new Error('the reader went away')))
  return reader.signal
}
