import { connect, type Socket } from 'node:net'
import type { Answer } from './answer.ts'

const silenceMs = 4_000

/** What is known of the requests that were sent. */
type Options = {
  /** Ends when so many answers are there; otherwise when the service ends the connection. */
  answers?: number
  /** Whether our side is ended behind the bytes. */
  end?: boolean
  /** The answers have no body, whatever their headers say. */
  head?: boolean
}

/**
 * Sends bytes over a bare socket to a loopback port, and gives the answers that came. Throws when
 * nothing comes for 4 s, or what came is no HTTP.
 */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  { answers = Number.POSITIVE_INFINITY, end = false, head = false }: Options = {},
): Promise<Answer[]> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  if (end) socket.end()
  return receive(socket, answers, head)
}

/** The next answers on a socket; it is destroyed behind the last. Throws as `exchange` does. */
export async function receive(socket: Socket, answers: number, head = false): Promise<Answer[]> {
  let came = Buffer.alloc(0)
  socket.setTimeout(silenceMs, () => socket.destroy(new Error(`silence behind: ${came}`)))
  try {
    for await (const chunk of socket) {
      came = Buffer.concat([came, chunk])
      const whole = parse(came, head, false)
      if (whole.length >= answers) return whole
    }
  } finally {
    socket.destroy()
  }
  return parse(came, head, true)
}

/** The whole answers in what came; `ended` says that nothing will follow. */
function parse(bytes: Buffer, head: boolean, ended: boolean): Answer[] {
  const answers: Answer[] = []
  let rest = bytes
  while (rest.length > 0) {
    const split = rest.indexOf('\r\n\r\n')
    if (split === -1) return unfinished(rest, answers, ended)
    const [line = '', ...fields] = rest.toString('latin1', 0, split).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1])
    if (Number.isNaN(status)) throw new Error(`no HTTP: ${JSON.stringify(line)}`)
    rest = rest.subarray(split + 4)
    if (status < 200) continue
    const headers = readHeaders(fields)
    const body =
      head || status === 304 ? { bytes: Buffer.alloc(0), length: 0 } : bodyOf(headers, rest)
    if (body === null) return unfinished(rest, answers, ended)
    answers.push({ status, headers, text: body.bytes.toString('utf8') })
    rest = rest.subarray(body.length)
  }
  return answers
}

/** A body, and how many bytes it took; null when it is not whole. */
function bodyOf(headers: Record<string, string>, rest: Buffer) {
  if (headers['transfer-encoding'] === 'chunked') return unchunked(rest)
  const length = Number(headers['content-length'] ?? rest.length)
  return rest.length < length ? null : { bytes: rest.subarray(0, length), length }
}

/** The same of a body in chunks. Source: RFC 9112, section 7.1. */
function unchunked(rest: Buffer): { bytes: Buffer; length: number } | null {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const line = rest.indexOf('\r\n', at)
    if (line === -1) return null
    const text = rest.toString('latin1', at, line)
    const size = /^[\da-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN
    const end = line + 2 + size
    if (Number.isNaN(size)) throw new Error(`no chunk: ${JSON.stringify(text)}`)
    if (rest.length < end + 2) return null
    if (rest.toString('latin1', end, end + 2) !== '\r\n') throw new Error('a chunk without an end')
    if (size === 0) return { bytes: Buffer.concat(chunks), length: end + 2 }
    chunks.push(rest.subarray(line + 2, end))
    at = end + 2
  }
}

function unfinished(rest: Buffer, answers: Answer[], ended: boolean): Answer[] {
  if (ended) throw new Error(`cut off: ${rest}`)
  return answers
}

function readHeaders(fields: string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const [, name = '', value = ''] = /^([^:]+): *(.*)$/.exec(field) ?? []
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return headers
}
