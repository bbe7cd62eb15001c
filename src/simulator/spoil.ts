import { gzipSync } from 'node:zlib'
import { type Answer, html, json, type SimulatedRequest, text } from './answer.ts'
import type { EditableBody, Fault, Replacement } from './faults.ts'

/** The answer that takes a request's place; null when nothing is to be answered. */
export function replacementAnswer(fault: Replacement): Answer | null {
  switch (fault.kind) {
    case 'status': {
      const { status, body = '' } = fault
      const headers: Answer['headers'] = {}
      for (const [name, value] of Object.entries(fault.headers ?? {})) {
        headers[name.toLowerCase()] = value
      }
      if (typeof body === 'string') return text(status, body, headers)
      if (Buffer.isBuffer(body)) return { status, body, headers }
      return json(status, body, headers)
    }
    case 'redirect':
      return text(fault.status ?? 302, '', { location: fault.location })
    case 'reset':
    case 'no-headers':
      return null
  }
}

/** A good answer as the fault leaves it; any other answer, and any other fault, changes nothing. */
export function spoilt(answer: Answer, fault: Fault, request: SimulatedRequest): Answer {
  if (fault.kind === 'gzip') return gzipped(answer, fault.broken ?? false)
  const { status, body } = answer
  if (status !== 200 || typeof body === 'string' || Buffer.isBuffer(body)) return answer
  switch (fault.kind) {
    case 'edit': {
      // A copy: the items are the library's own.
      const copy: EditableBody = JSON.parse(JSON.stringify(body))
      return { ...answer, body: jsonBody(fault.edit(copy, request) ?? copy) }
    }
    case 'total':
      return { ...answer, body: withFields(body, { total: fault.total }) }
    case 'empty-page':
      return { ...answer, body: emptyPage(body, fault.limit ?? 50) }
    case 'malformed':
      return malformed(answer, fault.form ?? 'broken-json')
    case 'wrong-shape':
      return { ...answer, body: otherShape(body, fault.shape ?? 'array') }
    default:
      return answer
  }
}

/** The body as bytes. */
export function bytesOf({ body }: Answer): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function gzipped(answer: Answer, broken: boolean): Answer {
  const body = gzipSync(bytesOf(answer))
  if (broken) body.fill(0xff, Math.floor(body.length / 2))
  return { ...answer, body, headers: { ...answer.headers, 'content-encoding': 'gzip' } }
}

function malformed(answer: Answer, form: 'broken-json' | 'html' | 'empty'): Answer {
  if (form === 'html') return html(200, '<html><body>Please wait…</body></html>')
  const bytes = bytesOf(answer)
  return { ...answer, body: form === 'empty' ? '' : bytes.subarray(0, bytes.length / 2) }
}

function otherShape(body: object, shape: 'array' | 'null' | 'string' | 'no-items') {
  switch (shape) {
    case 'array':
      return []
    case 'null':
      return jsonBody(null)
    case 'string':
      return jsonBody('OK')
    case 'no-items':
      return withFields(body, { items: undefined })
  }
}

function emptyPage(body: object, limit: number) {
  const page = listOf(body)
  return withFields(body, {
    items: [],
    limit,
    next: null,
    ...('total' in page ? { total: 0 } : {}),
    ...('offset' in page ? { offset: 0, previous: null } : {}),
    ...('cursors' in page ? { cursors: page === body ? null : { after: null } } : {}),
  })
}

/** Where a page has its items: the followed artists have theirs under `artists`. */
function listOf(body: object): object {
  return 'artists' in body && body.artists instanceof Object ? body.artists : body
}

function withFields(body: object, fields: object): object {
  const list = listOf(body)
  return list === body ? { ...body, ...fields } : { ...body, artists: { ...list, ...fields } }
}

/** A JSON value as an answer's body: what is no object is written out here. */
function jsonBody(value: unknown) {
  return value instanceof Object ? value : JSON.stringify(value)
}
