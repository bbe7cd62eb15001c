import type { Dispatcher } from 'undici'

/** An answer with its body as it came; `broken` where that is not whole, and why. */
export type RawAnswer = {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  broken?: unknown
}

/**
 * Sends one request and gives its answer with the whole body. Rejects where not even the headers
 * came, and with the signal's reason as soon as it is aborted. `tooLarge` makes the error of a body
 * of more than `maxBytes`.
 *
 * undici's own `request` gives the body as a stream, which costs more than the parsing of what is in
 * it: here it is a list of chunks.
 */
export function exchange(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  limit: { maxBytes: number; tooLarge: () => Error },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let head: Pick<RawAnswer, 'status' | 'headers'> | undefined
    let bytes = 0
    const chunks: Buffer[] = []
    const abort = () => {
      signal.removeEventListener('abort', abort)
      reject(signal.reason)
      controller?.abort(signal.reason)
    }
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', abort)
    const end = (broken?: unknown) => {
      signal.removeEventListener('abort', abort)
      if (!head) return reject(broken)
      const [first = Buffer.alloc(0)] = chunks
      const body = chunks.length > 1 ? Buffer.concat(chunks, bytes) : first
      resolve({ ...head, body, ...(broken !== undefined && { broken }) })
    }
    dispatcher.dispatch(options, {
      onRequestStart(its) {
        controller = its
        // It may have waited for a connection in the meantime.
        if (signal.aborted) its.abort(signal.reason)
      },
      onResponseStart(_, status, headers) {
        // Of 1xx there may be any number before the answer.
        if (status >= 200) head = { status, headers }
      },
      onResponseData(its, chunk) {
        bytes += chunk.length
        if (bytes > limit.maxBytes) its.abort(limit.tooLarge())
        else chunks.push(chunk)
      },
      onResponseEnd: () => end(),
      onResponseError: (_, error) => end(error),
    })
  })
}
