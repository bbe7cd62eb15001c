// A Web API that costs next to nothing, for the benches: any token is good, and `/me/tracks` holds
// ROWS made-up tracks. It answers after LATENCY_MS; every CHANGE_MS a track near the head goes or
// comes. `/stats` tells how many pages were asked for.
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { makeSavedTrack, makeTrack } from '../src/simulator/library.ts'

const { ROWS = '10000', LATENCY_MS = '0', CHANGE_MS = '0', PORT } = process.env
const latencyMs = Number(LATENCY_MS)
const texts = Array.from({ length: 50 }, (_, n) => {
  const track = makeTrack(n)
  const text = JSON.stringify(makeSavedTrack('2026-01-01T00:00:00Z', track))
  return text.split(String(track.id))
})

// The list is the numbers from 0 to ROWS, but for those that went, and those that came at its head.
let ids: number[] | null = null
let total = Number(ROWS)
let pages = 0
if (Number(CHANGE_MS) > 0) {
  ids = Array.from({ length: total }, (_, n) => n)
  let next = total
  let goes = true
  setInterval(() => {
    if (goes) ids?.splice(7, 1)
    else ids?.splice(7, 0, next++)
    goes = !goes
    total = ids?.length ?? total
  }, Number(CHANGE_MS))
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  response.setHeader('content-type', 'application/json')
  if (url.pathname === '/stats') return response.end(JSON.stringify({ pages }))
  if (url.pathname === '/api/token') {
    return response.end('{"access_token":"bench","token_type":"Bearer","expires_in":3600}')
  }
  pages += 1
  const from = Number(url.searchParams.get('offset'))
  const body = pageOf(from, Number(url.searchParams.get('limit')))
  if (latencyMs > 0) await delay(latencyMs)
  response.end(body)
})
server.listen(Number(PORT), '127.0.0.1', () => process.send?.('listening'))

function pageOf(from: number, limit: number): string {
  const items: string[] = []
  for (let at = from; at < Math.min(from + limit, total); at++) {
    const id = String(ids?.[at] ?? at).padStart(22, '0')
    items.push((texts[at % texts.length] as string[]).join(id))
  }
  const next = from + limit < total ? '"http://localhost/next"' : 'null'
  return `{"items":[${items.join(',')}],"total":${total},"limit":${limit},"offset":${from},"next":${next},"previous":null}`
}
