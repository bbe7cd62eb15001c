import type { Page, PageRequest, Step } from './walk.ts'

/** Gets one page. It rejects with the signal's reason when the page is not wanted any more. */
export type GetPage = (position: number, size: number, signal: AbortSignal) => Promise<Page>

/** What wants pages: a walk, or what is made of walks. */
export type Pages = {
  /** The pages to have in flight, the one that is taken next first; none when it has ended. */
  requests(most: number): PageRequest[]
  /** Takes the page of the first request; null: it gave nothing. */
  take(page: Page): Step | null
}

type Flight = { page: Promise<Page>; abort: AbortController }

/**
 * Gets the pages that are wanted with up to `concurrency` pages in flight, and gives what each one came to, in order. What
 * is fetched and not yet taken counts as in flight, so no more than that is in memory. A page that
 * is no longer wanted is aborted, and so are all when the caller goes away.
 */
export async function* walkPages(
  pages: Pages,
  getPage: GetPage,
  concurrency: number,
): AsyncGenerator<Step, void, void> {
  const flights = new Map<PageRequest, Flight>()
  try {
    for (;;) {
      const wanted = pages.requests(concurrency)
      const [next] = wanted
      if (!next) return
      for (const [request, { abort }] of flights) {
        if (wanted.includes(request)) continue
        abort.abort(new Error('this page is not needed any more'))
        flights.delete(request)
      }
      for (const request of wanted) {
        if (!flights.has(request)) flights.set(request, fly(request, getPage))
      }
      const { page } = flights.get(next) as Flight
      const step = pages.take(await page)
      flights.delete(next)
      if (step) yield step
    }
  } finally {
    for (const { abort } of flights.values()) abort.abort(new Error('the read has ended'))
  }
}

function fly({ position, size }: PageRequest, getPage: GetPage): Flight {
  const abort = new AbortController()
  const page = getPage(position, size, abort.signal)
  // A page that fails is heard of when its turn comes; one that is dropped, never.
  page.catch(() => undefined)
  return { page, abort }
}
