/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

// biome-ignore lint/suspicious/noExplicitAny: tests look into lines of every shape.
export type Line = any

/** A stream that has begun. */
export type Stream = {
  status: number
  headers: Headers
  /** The next line; throws where the stream has ended. */
  next(): Promise<Line>
  /** The next lines up to the first of this kind, itself among them. */
  upTo(kind: string): Promise<Line[]>
  /** All lines that are left. Throws when the stream is cut off in the middle of one. */
  rest(): Promise<Line[]>
  /** Goes away. */
  leave(): void
}

/**
 * Asks a loopback port for a stream; resolves with its headers. It is left with the test. It is
 * not compressed unless an encoding is named.
 */
export async function readStream(
  t: Test,
  port: number,
  path: string,
  encoding = 'identity',
): Promise<Stream> {
  const reader = new AbortController()
  t.teardown(() => reader.abort())
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { accept: 'application/x-ndjson', 'accept-encoding': encoding },
    signal: reader.signal,
  })
  // At once: the body of an answer that nobody holds and nobody reads is cancelled by fetch.
  const text = (answer.body as ReadableStream).pipeThrough(
    new TextDecoderStream('utf-8', { fatal: true }),
  )
  const lines = linesOf(text)
  const next = async () => {
    const { done, value } = await lines.next()
    if (done) throw new Error('the stream has ended')
    return value
  }
  return {
    status: answer.status,
    headers: answer.headers,
    next,
    async upTo(kind) {
      const read: Line[] = []
      while (!read.at(-1)?.[kind]) read.push(await next())
      return read
    },
    rest: () => Array.fromAsync(lines),
    leave: () => reader.abort(),
  }
}

/** The rows among lines. */
export function recordsOf(lines: readonly Line[]): Line[] {
  return lines.flatMap(({ record }) => record ?? [])
}

async function* linesOf(body: ReadableStream<string>): AsyncGenerator<Line, void, void> {
  let rest = ''
  for await (const text of body) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
  }
  if (rest !== '') throw new Error(`cut off: ${rest}`)
}
