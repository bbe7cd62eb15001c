import { connect } from 'node:net'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { failures } from '../../src/errors.ts'
import { problemType } from '../../src/problems.ts'
import { makeLibrary } from '../../src/simulator/library.ts'
import { tables } from '../../src/tables/index.ts'
import type { Answer } from '../helpers/answer.ts'
import { type Built, build } from '../helpers/build.ts'
import { receive } from '../helpers/raw.ts'
import { spoiltRequests, type WildRequest, wildRequests } from '../helpers/wild-requests.ts'

/** How long each property is tried; more runs find more. */
const interruptAfterTimeLimit = Number(process.env.FUZZ_MS ?? 2_500)
/** Most of the time is spent in waiting. */
const sideBySide = 6
const runs = { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit }

const library = makeLibrary({
  tracks: 60,
  albums: 7,
  playlists: 60,
  artists: 60,
  topTracks: 60,
  topArtists: 5,
  plays: 55,
  oddities: true,
})

type Service = Built & { port: number }

async function start(t: Test): Promise<Service> {
  const built = await build(t, { simulator: { library } })
  return { ...built, port: await built.listen() }
}

/** Sends a request. Throws when there is no answer to it. */
async function sendPatiently(port: number, request: WildRequest): Promise<Answer[]> {
  const answers = await send(port, request, 40)
  const text = Buffer.concat(request.pieces).toString('latin1')
  if (answers.length > 0 || /^[\r\n]*$/.test(text)) return answers
  // A client that ends its side counts as gone: on a busy machine even one that will be answered.
  const late = await send(port, request, 2_000)
  if (late.length === 0) throw new Error('no answer')
  return late
}

/**
 * Sends the pieces one after another, and ends its side when nothing has come for so long, for some
 * are no whole request. Throws when nothing comes for 4 s after that.
 */
async function send(
  port: number,
  { method, pieces }: WildRequest,
  silenceMs: number,
): Promise<Answer[]> {
  const socket = connect(port, '127.0.0.1').setNoDelay()
  let seen = 0
  let sinceMs = performance.now()
  const silence = setInterval(() => {
    if (socket.bytesRead !== seen) sinceMs = performance.now()
    seen = socket.bytesRead
    if (performance.now() - sinceMs >= silenceMs) socket.end()
  }, 5)
  socket.on('close', () => clearInterval(silence))
  const received = receive(socket, Number.POSITIVE_INFINITY, method === 'HEAD')
  const written = (async () => {
    for (const piece of pieces) {
      if (!socket.writable) return
      socket.write(piece)
      await turn()
    }
  })()
  const [answers] = await Promise.all([received, written])
  return answers
}

function isRefusal({ status }: Answer) {
  return status >= 400
}

/** Throws where answers are not what they have to be, whatever was asked. */
function assertFair(answers: Answer[], isHead = false) {
  for (const { status, headers, text } of answers) {
    const told = `${status} ${JSON.stringify(headers)} ${text.slice(0, 500)}`
    if (!(status >= 200 && status < 500)) throw new Error(`unfair status: ${told}`)
    if (!headers['x-request-id']) throw new Error(`no request id: ${told}`)
    if (status < 400) continue
    if (headers['content-type'] !== problemType) throw new Error(`no problem document: ${told}`)
    if (isHead) continue
    const problem = JSON.parse(text)
    const isWhole =
      problem.request_id === headers['x-request-id'] &&
      problem.status === status &&
      Object.hasOwn(failures, problem.code) &&
      problem.retryable === failures[problem.code as keyof typeof failures].retryable &&
      /\S+ \S+/.test(problem.detail) &&
      problem.title &&
      problem.type === `urn:lakeflow-spotify:${problem.code}`
    if (!isWhole || /\bat .*\.ts:\d+|node_modules/.test(text)) throw new Error(`odd: ${told}`)
  }
}

/** Tries requests: each is answered, and what is refused cost Spotify nothing if it is spared. */
async function tryAll(
  t: Test,
  requests: (built: Built) => Promise<fc.Arbitrary<WildRequest>>,
  { isSpotifySpared = true } = {},
) {
  const services = await Promise.all(Array.from({ length: sideBySide }, () => start(t)))
  const counts = await Promise.all(
    services.map(async (service) => tryOne(service, await requests(service), isSpotifySpared)),
  )
  const [tried, refused] = [0, 1].map((at) =>
    counts.reduce((sum, count) => sum + (count[at] ?? 0), 0),
  )
  t.comment(`${tried} requests, ${refused} refused`)
  t.ok(refused && tried && refused > 20 && refused < tried, 'some were good, some were not')
  for (const { get, log } of services) {
    const { status, body } = await get('/tables/user_profile/read')
    t.equal(status, 200, 'it still serves')
    t.equal(body.records.length, 1)
    const faults = log.filter(({ level }) => Number(level) >= 50)
    t.strictSame(faults, [], 'nothing that only a fault of the service would log')
  }
}

/** Tries them at one service, one after another; gives how many were tried, and refused. */
async function tryOne(
  { port, simulator }: Service,
  requests: fc.Arbitrary<WildRequest>,
  isSpotifySpared: boolean,
) {
  let tried = 0
  let refused = 0
  const property = fc.asyncProperty(requests, async (request) => {
    let before = simulator.stats.requests.length
    let answers = await sendPatiently(port, request)
    assertFair(answers, request.method === 'HEAD')
    tried += 1
    if (!answers.every(isRefusal)) return
    refused += 1
    if (!isSpotifySpared || simulator.stats.requests.length === before) return
    // A read before it that was given up may still have had a request under way.
    await delay(500)
    before = simulator.stats.requests.length
    answers = await sendPatiently(port, request)
    if (answers.every(isRefusal) && simulator.stats.requests.length > before) {
      throw new Error('Spotify was asked')
    }
  })
  await fc.assert(property, runs)
  return [tried, refused]
}

t.test('whatever is asked, in whatever method, it is answered, and fairly', async (t) => {
  await tryAll(t, async ({ get }) => {
    const { body } = await get('/openapi.json')
    const addresses = ['/', '/docs', '/docs/static/index.html', ...Object.keys(body.paths)]
    return wildRequests(addresses, [...tables.map(({ name }) => name), 'nobody'])
  })
})

t.test('bytes that are lost, changed or put in leave the service as it was', async (t) => {
  const targets = [
    '/tables',
    '/tables/tracks/schema?format=ddl',
    '/tables/albums/read?limit=50&format=ndjson',
    '/tables/recently_played/read?offset=%7B%22cursor%22%3A%221795176000123%22%7D',
    '/health',
    '/nope',
  ]
  // What is no HTTP may stand behind a good read, which is then begun and not answered.
  await tryAll(t, async () => spoiltRequests(targets), { isSpotifySpared: false })
})
