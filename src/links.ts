import type { ConsentLinks } from './spotify/consents.ts'
import type { Tickets } from './tickets.ts'

/**
 * The service's own addresses for consents. `base` is `PUBLIC_URL`, or where it listens, without a
 * slash at its end. `tickets` is null where nobody has to show an access key.
 */
export function createLinks(base: () => string, tickets: Tickets | null): ConsentLinks {
  const authorize = (connection: string) => `${base()}/connections/${connection}/authorize`
  return {
    callback: () => `${base()}/callback`,
    authorize,
    authorizeNow: (connection) =>
      tickets === null
        ? authorize(connection)
        : `${authorize(connection)}?ticket=${tickets.issue(connection)}`,
  }
}
