import { ConnectorError } from '../errors.ts'
import type { Log } from '../log.ts'

const patience = 4

/**
 * A page with items, or null where the list is at its end. Spotify answers 200 with an empty page
 * now and then, so one empty answer proves nothing: it is asked again, and a second one that
 * `couldBeTheEnd` is believed. Throws `upstream-error` after four that could not.
 */
export async function pageWithItems<P extends { items: readonly unknown[] }>(
  ask: () => Promise<P>,
  couldBeTheEnd: (page: P) => boolean,
  log: Log,
): Promise<P | null> {
  for (let asked = 1; asked <= patience; asked++) {
    const page = await ask()
    if (page.items.length > 0) return page
    log.warn({ asked }, 'Spotify answered with an empty page')
    if (asked > 1 && couldBeTheEnd(page)) return null
  }
  throw new ConnectorError(
    'upstream-error',
    `Spotify answered ${patience} times with an empty page in the middle of a list. Try again later; what was read is not lost.`,
  )
}
