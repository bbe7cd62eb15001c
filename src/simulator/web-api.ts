import { type Answer, ApiError, apiError, json, type SimulatedRequest } from './answer.ts'
import { type Call, type Endpoint, makeEndpoints, playlists } from './endpoints.ts'
import type { Grants } from './grants.ts'
import type { Library } from './library.ts'
import { viewOf } from './mode.ts'
import type { RateLimit } from './rate-limit.ts'

type Parts = {
  grants: Grants
  rateLimit: RateLimit | null
  /** The library as it is now. */
  library: () => Library
  livePlaysSinceMs: number | null
}

/** The first part of paths where the real API keeps objects. */
const resources = /^\/(albums|artists|episodes|me|playlists|shows|tracks|users)(\/|$)/
const usersPlaylists = /^\/users\/([^/]+)\/playlists$/

/**
 * The Web API: the endpoints that a listener's library is read from; every other request is
 * refused as the real one does it. `pageSize` is the most that a page gives, whatever `limit` is.
 * Wordings are Spotify's own as its users report them, such as rdbartram/PSSpotify#7 (bearer).
 */
export function webApi({ grants, rateLimit, library, livePlaysSinceMs }: Parts) {
  const endpoints = makeEndpoints(livePlaysSinceMs)

  return (request: SimulatedRequest, baseUrl: string, nowMs: number, pageSize = 50): Answer => {
    try {
      const { path, query, method } = request
      const current = library()
      if (!resources.test(path)) throw new ApiError(404, 'Service not found')
      const scopes = scopesOf(request, nowMs)
      const retryAfterS = rateLimit?.take(nowMs) ?? null
      if (retryAfterS !== null) {
        throw new ApiError(429, 'API rate limit exceeded', { 'retry-after': String(retryAfterS) })
      }
      const endpoint = endpointOf(path, current)
      if (method !== 'GET' && method !== 'HEAD') {
        throw new ApiError(405, 'Method not allowed', { allow: 'GET, HEAD' })
      }
      if (endpoint.scope !== undefined && !scopes.includes(endpoint.scope)) {
        throw new ApiError(403, 'Insufficient client scope')
      }
      const cut = { url: `${baseUrl}${path}`, query, pageSize }
      const view = viewOf(current)
      const call: Call = { cut, library: current, view, scopes, nowMs, baseUrl }
      return json(200, endpoint.answer(call), { 'cache-control': 'private, max-age=0' })
    } catch (error) {
      if (error instanceof ApiError) return apiError(error.status, error.message, error.headers)
      throw error
    }
  }

  function scopesOf({ headers }: SimulatedRequest, nowMs: number) {
    const { authorization } = headers
    if (authorization === undefined) throw new ApiError(401, 'No token provided')
    const [, token] = /^Bearer +(\S+)$/i.exec(String(authorization)) ?? []
    if (token === undefined) throw new ApiError(400, 'Only valid bearer authentication supported')
    const scopes = grants.scopesOf(token, nowMs)
    if (scopes === undefined) throw new ApiError(401, 'Invalid access token')
    if (scopes === null) throw new ApiError(401, 'The access token expired')
    return scopes
  }

  function endpointOf(path: string, { mode, me }: Library): Endpoint {
    const endpoint = Object.hasOwn(endpoints, path) ? endpoints[path] : undefined
    if (endpoint) return endpoint
    const [, user] = usersPlaylists.exec(path) ?? []
    if (user === undefined) throw new ApiError(404, 'Resource not found')
    // Development mode has removed the endpoint that its own answers point at.
    if (mode === 'development') throw new ApiError(403, 'Forbidden')
    if (user !== me.id) throw new ApiError(404, 'Resource not found')
    return { answer: playlists }
  }
}
