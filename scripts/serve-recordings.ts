import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

type Json = Record<string, unknown>

/** One recorded answer of the Web API, and where it is served. */
export const recordings = {
  '/me': 'me.json',
  '/me/tracks': 'me-tracks.json',
  '/me/albums': 'me-albums.json',
  '/me/playlists': 'me-playlists.json',
  '/me/following': 'me-following.json',
  '/me/top/tracks': 'me-top-tracks.json',
  '/me/top/artists': 'me-top-artists.json',
  '/me/player/recently-played': 'me-player-recently-played.json',
} as const

/** Reads a recorded answer. Throws where the file is missing. */
export function readRecording(folder: string, path: keyof typeof recordings): Json {
  return JSON.parse(readFileSync(join(folder, recordings[path]), 'utf8'))
}

/**
 * Serves a folder of recorded answers as Spotify would, with `total` and `next` cut to what is
 * there; any refresh token is good.
 */
export async function serveRecordings(folder: string): Promise<{ origin: string; close(): void }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const path = url.pathname.replace(/^\/v1/, '')
    const answer =
      path === '/api/token'
        ? { access_token: 'recorded', token_type: 'Bearer', expires_in: 3600 }
        : path in recordings
          ? pageOf(readRecording(folder, path as keyof typeof recordings), url.searchParams)
          : null
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { error: { status: 404, message: 'Service not found' } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function pageOf(recorded: Json, query: URLSearchParams): Json {
  if (recorded.artists) return { artists: cursorPage(recorded.artists as Json, query) }
  if (!Array.isArray(recorded.items)) return recorded
  // The plays have no position; all that were recorded are the window.
  if (recorded.total === undefined) return { ...recorded, next: null }
  const { items } = recorded
  const offset = Number(query.get('offset') ?? 0)
  const limit = Number(query.get('limit') ?? 20)
  const next = offset + limit < items.length ? recorded.next : null
  return {
    ...recorded,
    items: items.slice(offset, offset + limit),
    offset,
    limit,
    total: items.length,
    next,
  }
}

function cursorPage(recorded: Json, query: URLSearchParams): Json {
  const items = recorded.items as { id: string }[]
  const after = query.get('after')
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1
  const page = items.slice(from, from + Number(query.get('limit') ?? 20))
  const isLast = from + page.length >= items.length
  return {
    ...recorded,
    items: page,
    total: items.length,
    cursors: { after: isLast ? null : page.at(-1)?.id },
    next: isLast ? null : recorded.next,
  }
}
