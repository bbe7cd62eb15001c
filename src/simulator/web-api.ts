import type { Account } from './account.ts'
import { type Answer, ApiError, apiError, json, type SimulatedRequest } from './answer.ts'
import { type Call, type Endpoint, makeEndpoints, playlists } from './endpoints.ts'
import type { Grant, Grants } from './grants.ts'
import { viewOf } from './mode.ts'
import type { RateLimit } from './rate-limit.ts'

type Parts = {
  grants: Grants
  /** One for all accounts: Spotify limits the app. */
  rateLimit: RateLimit | null
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
export function webApi({ grants, rateLimit, livePlaysSinceMs }: Parts) {
  const endpoints = new Map<Account, Record<string, Endpoint>>()

  return (request: SimulatedRequest, baseUrl: string, nowMs: number, pageSize = 50): Answer => {
    try {
      const { path, query, method } = request
      if (!resources.test(path)) throw new ApiError(404, 'Service not found')
      const { account, scopes } = grantOf(request, nowMs)
      const retryAfterS = rateLimit?.take(nowMs) ?? null
      if (retryAfterS !== null) {
        throw new ApiError(429, 'API rate limit exceeded', { 'retry-after': String(retryAfterS) })
      }
      const current = account.library
      const endpoint = endpointOf(path, account)
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

  function grantOf({ headers }: SimulatedRequest, nowMs: number): Grant {
    const { authorization } = headers
    if (authorization === undefined) throw new ApiError(401, 'No token provided')
    const [, token] = /^Bearer +(\S+)$/i.exec(String(authorization)) ?? []
    if (token === undefined) throw new ApiError(400, 'Only valid bearer authentication supported')
    const grant = grants.grantOf(token, nowMs)
    if (grant === undefined) throw new ApiError(401, 'Invalid access token')
    if (grant === null) throw new ApiError(401, 'The access token expired')
    return grant
  }

  function endpointOf(path: string, account: Account): Endpoint {
    const own = endpoints.get(account) ?? makeEndpoints(livePlaysSinceMs, account.number)
    endpoints.set(account, own)
    const endpoint = Object.hasOwn(own, path) ? own[path] : undefined
    if (endpoint) return endpoint
    const { mode, me } = account.library
    const [, user] = usersPlaylists.exec(path) ?? []
    if (user === undefined) throw new ApiError(404, 'Resource not found')
    // Development mode has removed the endpoint that its own answers point at.
    if (mode === 'development') throw new ApiError(403, 'Forbidden')
    if (user !== me.id) throw new ApiError(404, 'Resource not found')
    return { answer: playlists }
  }
}
