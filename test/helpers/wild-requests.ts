import * as fc from 'fast-check'

/** A request as it goes over the wire, and in what pieces. */
export type WildRequest = { method: string; pieces: Buffer[] }

const fixedHost = 'Host: localhost'
const words = [
  'offset',
  'limit',
  'max_pages',
  'time_range',
  'connection',
  'format',
  'code',
  'state',
]
const values = ['1', '50', '{}', 'null', 'default', 'ndjson', 'json', 'long_term', 'ddl', 'ok']
const odd = [
  '',
  '.',
  '..',
  '%',
  '%00',
  '%zz',
  '%2e%2e',
  '%2F',
  '//',
  '\\',
  '__proto__',
  '♫',
  '{',
  '*',
]
const methods = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
const names = [
  ...['Accept', 'Accept-Encoding', 'Authorization', 'Cookie', 'If-None-Match', 'If-Match', 'Range'],
  ...['X-Request-Id', 'X-Forwarded-For', 'Forwarded', 'Origin', 'Referer', 'TE', 'Via', 'Upgrade'],
  ...['Connection', 'Keep-Alive', 'Expect', 'Content-Type', 'Content-Length', 'Content-Encoding'],
  ...['Transfer-Encoding', 'Host', 'Trailer', 'Max-Forwards', '__proto__', 'Constructor'],
]
const fields = [
  ...['application/x-ndjson', 'text/html;q=0.1, */*', 'gzip, br;q=0', 'bytes=0-', 'Bearer x'],
  ...['chunked', '100-continue', 'close', 'keep-alive', 'h2c', '0', '5', '99999999999', '-1'],
  ...[
    'localhost',
    '127.0.0.1:1',
    '[::1]',
    'example.com',
    'W/"x"',
    '*',
    'a=b; c="d',
    'application/json',
  ],
]

const latin = (maxLength: number) => fc.string({ unit: 'binary-ascii', maxLength })
const oneLine = latin(40).map((text) => text.replace(/[\r\n\0]/g, ' '))
const piece = fc.oneof(fc.constantFrom(...words, ...values), fc.constantFrom(...odd), oneLine)

/**
 * Requests that may be right, odd or broken in any of their parts, sent in pieces. `addresses` are
 * those of the service's description, such as `/tables/{name}/read`; `inPath` what may stand for a
 * part in braces.
 */
export function wildRequests(addresses: string[], inPath: string[]): fc.Arbitrary<WildRequest> {
  const part = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...inPath) }, piece)
  const known = fc
    .tuple(fc.constantFrom(...addresses), part)
    .map(([address, name]) => address.replace(/\{\w+\}/g, name.replaceAll('$', '')))
  const path = fc.oneof(
    { weight: 4, arbitrary: known },
    fc.array(piece, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
    fc.tuple(known, piece).map(([address, more]) => `${address}${more}`),
    known.map((address) => `http://localhost${address}`),
  )
  const pair = fc.tuple(fc.constantFrom(...words), piece).map((both) => both.join('='))
  const query = fc.array(fc.oneof(pair, piece), { maxLength: 3 }).map((all) => all.join('&'))
  const target = fc
    .tuple(path, query)
    .map(([to, asked]) => (asked === '' ? to : `${to}?${asked}`))
    // A blank would end it.
    .map((text) => text.replace(/[\s\0]/g, '+'))
  const header = fc
    .tuple(fc.constantFrom(...names), fc.oneof(fc.constantFrom(...fields), oneLine))
    .map((both) => both.join(': '))
  const method = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...methods) }, oneLine)
  return fc
    .record({
      method,
      target,
      headers: fc.array(header, { maxLength: 4 }),
      body: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, latin(60)),
      cuts: cutsOf,
    })
    .map(({ method, target, headers, body, cuts }) => {
      // What makes a HEAD no HTTP is told with a body, as it is in any method.
      const [to, own] = method === 'HEAD' ? [target.replace(/[^!-~]/g, '+'), []] : [target, headers]
      const line = `${method} ${to} HTTP/1.1`
      // Behind a GET it would be another request.
      const rest = method === 'GET' || method === 'HEAD' ? '' : body
      return {
        method,
        pieces: cut(`${[line, fixedHost, ...own].join('\r\n')}\r\n\r\n${rest}`, cuts),
      }
    })
}

/** A good request, or two behind each other, with some bytes lost, changed, doubled or put in. */
export function spoiltRequests(targets: string[]): fc.Arbitrary<WildRequest> {
  const good = fc.constantFrom(...targets).map(goodRequest)
  const change = fc.record({
    kind: fc.constantFrom('lose', 'double', 'put', 'flip', 'end'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(30),
    bytes: fc.oneof(
      latin(12),
      fc.constantFrom('\r\n', '\r\n\r\n', '\0', ' ', ':', '\xff\xfe', 'HTTP/9.9'),
    ),
  })
  return fc
    .tuple(
      good,
      fc.option(good, { nil: '' }),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      cutsOf,
    )
    .map(([first, behind, changes, cuts]) => {
      const spoilt = changes.reduce(spoil, first + behind)
      return { method: 'GET', pieces: cut(spoilt, cuts) }
    })
}

function goodRequest(target: string) {
  const lines = [`GET ${target} HTTP/1.1`, fixedHost, 'Accept: */*', 'X-Request-Id: of-the-caller']
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** One change, at a place between 0, the start, and 1, the end. */
type Change = { kind: string; at: number; length: number; bytes: string }

function spoil(text: string, { kind, at, length, bytes }: Change) {
  const from = Math.floor(at * text.length)
  const before = text.slice(0, from)
  const within = text.slice(from, from + length)
  const behind = text.slice(from + length)
  switch (kind) {
    case 'lose':
      return before + behind
    case 'double':
      return before + within + within + behind
    case 'put':
      return before + bytes + within + behind
    case 'flip':
      return before + within.replace(/./s, flipped) + behind
    default:
      return before
  }
}

function flipped(character: string) {
  return String.fromCharCode(character.charCodeAt(0) ^ 0x20)
}

const cutsOf = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 })

function cut(text: string, cuts: number[]): Buffer[] {
  // By Latin 1 where it can be, so that any byte may come.
  const bytes = Buffer.from(text, /[^\0-\xff]/.test(text) ? 'utf8' : 'latin1')
  const places = [0, ...cuts.map((at) => Math.floor(at * bytes.length)).sort((a, b) => a - b)]
  return places.map((from, nth) => bytes.subarray(from, places[nth + 1]))
}
