import type { Account } from './account.ts'
import { type Answer, html, type SimulatedRequest } from './answer.ts'
import { answerAuthorize } from './authorize.ts'
import { answerToken, type TokenParts } from './token-endpoint.ts'

type Parts = TokenParts & {
  /** Whose owners may consent. */
  accounts: readonly Account[]
}

/**
 * The accounts service: the consent page at `/authorize`, the token endpoint at `/api/token`, and
 * the page that people get for any other path.
 */
export function accountsService(parts: Parts) {
  return (request: SimulatedRequest, nowMs: number): Answer => {
    switch (request.path) {
      case '/authorize':
        return answerAuthorize(request, nowMs, parts)
      case '/api/token':
        return answerToken(request, nowMs, parts)
      default:
        return html(404, notFoundPage)
    }
  }
}

const notFoundPage =
  '<!DOCTYPE html><html><head><title>Page not found - Spotify</title></head>' +
  '<body><h1>404</h1><p>We couldn’t find the page you were looking for.</p></body></html>'
