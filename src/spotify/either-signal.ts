/**
 * Does work with a signal that is aborted when one of two is, with its reason. It lets go of both
 * when the work is done: AbortSignal.any hangs on to a signal that lives long, once for each page.
 * `b` may be left out.
 */
export async function withEither<T>(
  a: AbortSignal,
  b: AbortSignal | undefined,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController()
  const abort = () => either.abort(a.aborted ? a.reason : b?.reason)
  if (a.aborted || b?.aborted) abort()
  a.addEventListener('abort', abort)
  b?.addEventListener('abort', abort)
  try {
    return await work(either.signal)
  } finally {
    a.removeEventListener('abort', abort)
    b?.removeEventListener('abort', abort)
  }
}
