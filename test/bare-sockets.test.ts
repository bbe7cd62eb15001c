import { once } from 'node:events'
import { connect } from 'node:net'
import * as fc from 'fast-check'
import t from 'tap'
import { type Answer, assertProblem } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { exchange, receive } from './helpers/raw.ts'

const host = 'Host: localhost'
const end = 'Connection: close'
const request = (line: string, ...fields: string[]) =>
  `${[line, host, ...fields].join('\r\n')}\r\n\r\n`
const livez = request('GET /livez HTTP/1.1', end)
const filler = 'a'.repeat(20_000)

/** What is no request that could be routed, by what it is. */
const refused: Record<string, [bytes: string | Buffer, status: number]> = {
  'a header of 20 kB': [request('GET /livez HTTP/1.1', `X-Filler: ${filler}`), 431],
  'a header of 200 kB': [request('GET /livez HTTP/1.1', `X-Filler: ${filler.repeat(10)}`), 431],
  'more headers than fit': [
    request('GET /livez HTTP/1.1', ...Array(2_000).fill('X-Filler: ab')),
    431,
  ],
  'a query of 20 kB': [request(`GET /livez?${filler} HTTP/1.1`), 431],
  'a path of 20 kB': [request(`GET /${filler} HTTP/1.1`), 431],
  'words instead of HTTP': ['hello there\r\n\r\n', 400],
  'a TLS greeting': [Buffer.from('16030100c8010000c40303', 'hex'), 400],
  'an HTTP/2 greeting': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'zero bytes': [Buffer.alloc(64), 400],
  'a method in lower case': [request('get /livez HTTP/1.1'), 400],
  'a method that there is not': [request('FETCH /livez HTTP/1.1'), 400],
  'no slash before the path': [request('GET livez HTTP/1.1'), 400],
  'a path that is not ASCII': [request('GET /tables/♫/read HTTP/1.1'), 400],
  'lines without a return': ['GET /livez HTTP/1.1\nHost: localhost\n\n', 400],
  'HTTP/1.1 without a Host': ['GET /tables HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  'two Hosts': [request('GET /tables HTTP/1.1', host, end), 400],
  'a header without a colon': [request('GET /livez HTTP/1.1', 'rubbish'), 400],
  'a header with a space in its name': [request('GET /livez HTTP/1.1', 'X Y: z'), 400],
  'a header that holds a NUL': [request('GET /livez HTTP/1.1', 'X-Y: a\0b'), 400],
  'a folded header': [request('GET /livez HTTP/1.1', 'X-Y: a\r\n b'), 400],
  'an unknown Transfer-Encoding': [request('POST /livez HTTP/1.1', 'Transfer-Encoding: x'), 400],
  'the same on GET': [request('GET /livez HTTP/1.1', 'Transfer-Encoding: x'), 400],
  'both lengths of a body': [
    `${request('POST /livez HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    400,
  ],
  'two lengths of a body': [
    `${request('GET /livez HTTP/1.1', 'Content-Length: 5', 'Content-Length: 6')}hello`,
    400,
  ],
  'a negative length': [request('GET /livez HTTP/1.1', 'Content-Length: -5'), 400],
  'a broken chunk': [`${request('POST /livez HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n`, 400],
  'a URL that is not well encoded': [request('GET /%zz HTTP/1.1', end), 400],
  'the same of a table': [request('GET /tables/%zz/read?offset=hush HTTP/1.1', end), 400],
  'wrongly encoded UTF-8': [request('GET /tables/%ff/read HTTP/1.1', end), 400],
  'a broken URL and a method': [request('POST /tables/%zz/read HTTP/1.1', end), 400],
}

/** What is odd and understood all the same. */
const answered: Record<string, [bytes: string, status: number]> = {
  'five hundred headers': [request('GET /livez HTTP/1.1', ...Array(500).fill('X-Y: z'), end), 200],
  'HTTP/1.0 without a Host': ['GET /livez HTTP/1.0\r\n\r\n', 200],
  'a read in HTTP/1.0': ['GET /tables/user_profile/read HTTP/1.0\r\n\r\n', 200],
  'an unknown Expect': [request('GET /livez HTTP/1.1', 'Expect: foo', end), 200],
  'an Expect of a GET': [request('GET /livez HTTP/1.1', 'Expect: 100-continue', end), 200],
  'the whole URL': [request('GET http://localhost/livez HTTP/1.1', end), 200],
  'the whole URL of a table': [request('GET HTTP://127.0.0.1:1/tables HTTP/1.1', end), 200],
  'the whole URL of nothing': [request('GET http://localhost/nope HTTP/1.1', end), 404],
  'the whole URL and a method': [request('POST http://localhost/tables HTTP/1.1', end), 405],
  'a whole URL of ftp': [request('GET ftp://localhost/tables HTTP/1.1', end), 400],
  'OPTIONS of everything': [request('OPTIONS * HTTP/1.1', end), 404],
  'two slashes': [request('GET //livez HTTP/1.1', end), 404],
  'dots in the path': [request('GET /tables/../livez HTTP/1.1', end), 404],
  'dots for a table': [request('GET /tables/../read HTTP/1.1', end), 404],
  'encoded dots for a table': [request('GET /tables/%2e%2e/read HTTP/1.1', end), 404],
  'an encoded slash in a table': [request('GET /tables/a%2Fb/read HTTP/1.1', end), 404],
  'dots behind the documents': [request('GET /docs/static/../../package.json HTTP/1.1', end), 400],
  'encoded dots there': [request('GET /docs/static/%2e%2e/package.json HTTP/1.1', end), 400],
  'encoded dots and slash there': [
    request('GET /docs/static/..%2fpackage.json HTTP/1.1', end),
    404,
  ],
  'a fragment': [request('GET /livez#top HTTP/1.1', end), 400],
  'a body on GET': [`${request('GET /livez HTTP/1.1', 'Content-Length: 5', end)}{"a":`, 200],
  'a body that never comes': [request('GET /livez HTTP/1.1', 'Content-Length: 500', end), 200],
}

t.test('what is no request is answered with a problem document', async (t) => {
  const { listen, log, simulator } = await build(t)
  const port = await listen()
  for (const [what, [bytes, status]] of Object.entries(refused)) {
    await t.test(what, async (t) => {
      const [answer, ...more] = await exchange(port, bytes)
      t.strictSame(more, [], 'one answer')
      t.equal(answer?.headers.connection, 'close')
      t.equal(answer?.headers['x-content-type-options'], 'nosniff')
      const problem = assertProblem(t, answer as Answer, 'bad-request', status)
      t.notMatch(answer?.text, 'hush')
      const line = log.find(({ request_id }) => request_id === problem.request_id)
      t.match(line, { level: 30, status, code: 'bad-request', detail: problem.detail })
    })
    t.equal((await exchange(port, livez))[0]?.status, 200, 'it still serves')
  }
  t.equal(simulator.stats.requests.length, 0)
})

t.test('what is odd, but a request, is answered', async (t) => {
  const { listen, log } = await build(t)
  const port = await listen()
  for (const [what, [bytes, status]] of Object.entries(answered)) {
    const [answer, ...more] = await exchange(port, bytes)
    t.strictSame(more, [], what)
    t.equal(answer?.status, status, what)
    const body = JSON.parse(answer?.text ?? '')
    if (status !== 200) t.match(body, { status, request_id: answer?.headers['x-request-id'] }, what)
    if (what.includes('whole')) t.notMatch(body.instance ?? '', /localhost:/, what)
  }
  t.ok(log.every(({ level }) => Number(level) < 40))
})

t.test('CONNECT is refused as any other method, and its id is given back', async (t) => {
  const { listen, log } = await build(t)
  const port = await listen()
  for (const target of ['example.com:443', '/livez']) {
    const bytes = request(`CONNECT ${target} HTTP/1.1`, 'X-Request-Id: of-the-caller')
    const [answer] = await exchange(port, `${bytes}{"a":`)
    const problem = assertProblem(t, answer as Answer, 'method-not-allowed', 405)
    t.equal(answer?.headers.allow, 'GET, HEAD')
    t.equal(problem.request_id, 'of-the-caller')
    t.ok(log.some(({ request_id, status }) => request_id === 'of-the-caller' && status === 405))
  }
})

t.test('a client that resets its CONNECT does no harm', async (t) => {
  const { listen } = await build(t)
  const port = await listen()
  // Whether the reset comes before the answer is a matter of chance.
  for (let n = 0; n < 50; n++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(request('CONNECT example.com:443 HTTP/1.1'))
    await new Promise(setImmediate)
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  t.equal((await exchange(port, livez))[0]?.status, 200)
})

t.test('a body that is announced is not asked for', async (t) => {
  const { listen } = await build(t)
  const port = await listen()
  const socket = connect(port, '127.0.0.1')
  let came = ''
  socket.on('data', (chunk) => {
    came += chunk
  })
  socket.write(request('POST /tables HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 5', end))
  await once(socket, 'end')
  t.match(came, /^HTTP\/1\.1 405 /, 'and no 100 before it')
})

t.test('an Upgrade is passed over', async (t) => {
  const { listen } = await build(t)
  const port = await listen()
  for (const protocol of ['websocket', 'h2c']) {
    const bytes = request('GET /livez HTTP/1.1', 'Connection: Upgrade', `Upgrade: ${protocol}`)
    const [answer] = await exchange(port, bytes, { answers: 1 })
    t.equal(answer?.status, 200)
    t.equal(answer?.text, '{"status":"ok"}')
  }
})

t.test('pipelined requests are answered in their order', async (t) => {
  const { listen } = await build(t)
  const port = await listen()
  const paths = ['/tables/user_profile/read', '/livez', '/nope', '/tables/tracks/read?limit=0']
  const bytes = paths.map((path, n) => request(`GET ${path} HTTP/1.1`, `X-Request-Id: no.${n}`))
  const answers = await exchange(port, [...bytes, livez].join(''))
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 404, 400, 200],
  )
  t.strictSame(
    answers.slice(0, 4).map(({ headers }) => headers['x-request-id']),
    ['no.0', 'no.1', 'no.2', 'no.3'],
  )
})

t.test('a request that ends in its middle is answered and let go', async (t) => {
  const { listen, log, simulator } = await build(t)
  const port = await listen()
  const parts = [
    'G',
    'GET /livez',
    'GET /livez HTTP/1.1\r\nHo',
    'GET / HTTP/1.1\r\nHost: localhost\r\n',
  ]
  for (const part of parts) {
    const [answer] = await exchange(port, part, { end: true })
    assertProblem(t, answer as Answer, 'bad-request', 400)
  }
  t.strictSame(await exchange(port, '', { end: true }), [], 'nothing is no request')
  t.equal((await exchange(port, livez))[0]?.status, 200)
  t.ok(log.every(({ level }) => Number(level) < 40))
  t.equal(simulator.stats.requests.length, 0)
})

t.test('a request that does not come to its end in time is answered', async (t) => {
  const { app, listen } = await build(t)
  const port = await listen()
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /livez HTTP/1.1\r\nHo')
  const [its] = await once(app.server, 'connection')
  // What Node's own timer does, a minute later.
  const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
  app.server.emit('clientError', late, its)
  const [answer] = await receive(socket, 1)
  const problem = assertProblem(t, answer as Answer, 'bad-request', 400)
  t.match(problem.detail, /in time/)
})

t.test('whoever was refused and stays does not hold up the end of the service', async (t) => {
  const { listen, close } = await build(t)
  const port = await listen()
  const bytes = [
    'rubbish\r\n\r\n',
    request('CONNECT a:1 HTTP/1.1'),
    request('POST /tables HTTP/1.1'),
  ]
  for (const some of [...bytes, request('POST /tables HTTP/1.1', 'Content-Length: 9')]) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    t.teardown(() => socket.destroy())
    socket.write(some)
    await once(socket, 'data')
  }
  const half = connect(port, '127.0.0.1')
  half.on('error', () => half.destroy())
  half.write('GET /livez HTTP/1.1\r\nHo')
  await exchange(port, livez)
  await close()
})

t.test('whatever comes in a query or a header, it is answered, and never with a 5xx', async (t) => {
  const { listen, simulator, log } = await build(t)
  const port = await listen()
  const words = [
    'offset',
    'limit',
    'max_pages',
    'time_range',
    'connection',
    'format',
    '__proto__',
    '',
  ]
  const pieces = [
    '{',
    '}',
    '"',
    '[',
    ']',
    ':',
    '%',
    '%00',
    '%zz',
    '%22',
    '%7B',
    '=',
    '&',
    '+',
    '\\',
    "'",
  ]
  const name = fc.oneof(fc.constantFrom(...words), fc.webQueryParameters())
  const value = fc.oneof(
    fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 12 }).map((some) => some.join('')),
    fc.json().map(encodeURIComponent),
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
  )
  const query = fc
    .array(fc.tuple(name, value), { maxLength: 4 })
    // A read that is really made would be none of bad input.
    .map((pairs) => ['limit=0', ...pairs.map((pair) => pair.join('='))].join('&'))
  const header = fc.tuple(
    fc.constantFrom(
      'X-Request-Id',
      'Accept',
      'Range',
      'If-None-Match',
      'Content-Type',
      'Cookie',
      'Authorization',
      'Accept-Encoding',
      'Expect',
      'Upgrade',
      'TE',
    ),
    fc
      .string({ unit: 'binary-ascii', maxLength: 40 })
      .map((text) => text.replace(/[\r\n\0]/g, ' ')),
  )
  const path = fc.constantFrom(
    '/tables/tracks/read',
    '/tables/recently_played/read',
    '/tables',
    '/health',
  )
  await fc.assert(
    fc.asyncProperty(path, query, fc.array(header, { maxLength: 3 }), async (to, asked, fields) => {
      const lines = fields.map((pair) => pair.join(': '))
      const bytes = request(`GET ${to}?${asked} HTTP/1.1`, ...lines, end)
      const [answer, ...more] = await exchange(port, bytes)
      if (more.length > 0) throw new Error('more than one answer')
      if (answer?.status !== 400) throw new Error(`status ${answer?.status}`)
      const { request_id, code } = JSON.parse(answer.text)
      if (request_id !== answer.headers['x-request-id']) throw new Error('another request_id')
      if (!/^(bad-request|invalid-o(ption|ffset))$/.test(code)) throw new Error(code)
    }),
    { interruptAfterTimeLimit: 3_000, numRuns: 400 },
  )
  t.equal(simulator.stats.requests.length, 0)
  t.ok(log.every(({ level }) => Number(level) < 40))
  t.equal((await exchange(port, livez))[0]?.status, 200)
})
