import t from 'tap'
import type { Page, PageRequest, Step } from '../../src/reading/walk.ts'
import { type Pages, walkPages } from '../../src/reading/walk-pages.ts'

type Asked = {
  position: number
  signal: AbortSignal
  answer(): void
  fail(error: Error): void
}

const size = 10

/** Wants the pages of these positions, one after the other, as far as they are allowed. */
function pagesAt(...positions: number[]) {
  const left = positions.map(requestAt)
  const taken: unknown[] = []
  const pages: Pages = {
    requests: (most) => left.slice(0, most),
    take: ({ items }) => {
      left.shift()
      taken.push(items[0])
      return stepOf(items)
    },
  }
  return { pages, left, taken }
}

function requestAt(position: number): PageRequest {
  return { position, size }
}

/** Answers when it is told to. */
function byHand() {
  const asked: Asked[] = []
  const getPage = (position: number, _: number, signal: AbortSignal) =>
    new Promise<Page>((resolve, reject) => {
      asked.push({
        position,
        signal,
        answer: () => resolve({ items: [position], total: 100, hasNext: true }),
        fail: reject,
      })
    })
  return { asked, getPage, at: (position: number) => asked.find((a) => a.position === position) }
}

function stepOf(items: readonly unknown[]): Step {
  const given = items.map((item) => ({ item, key: String(item), place: 0 }))
  return { given, skipped: 0, repeated: [], isExact: true }
}

function firstOf({ value }: IteratorResult<Step, void>): unknown {
  return value?.given[0]?.item
}

/** Lets what has been settled be heard of. */
const settled = () => new Promise(setImmediate)

t.test('pages are given in their order, in whatever order they come', async (t) => {
  const { pages, taken } = pagesAt(0, 10, 20)
  const { asked, getPage, at } = byHand()
  const steps = walkPages(pages, getPage, 8)
  const first = steps.next()
  t.equal(asked.length, 3)
  at(20)?.answer()
  at(10)?.answer()
  await settled()
  t.strictSame(taken, [])
  at(0)?.answer()
  t.equal(firstOf(await first), 0)
  t.equal(firstOf(await steps.next()), 10)
  t.equal(firstOf(await steps.next()), 20)
  t.match(await steps.next(), { done: true })
})

t.test('no more pages are in flight, or fetched and not taken, than are allowed', async (t) => {
  for (const concurrency of [1, 2, 3]) {
    const { pages, taken } = pagesAt(...Array.from({ length: 9 }, (_, nth) => nth * size))
    const { asked, getPage } = byHand()
    const steps = walkPages(pages, getPage, concurrency)
    for (let nth = 0; nth < 9; nth++) {
      const step = steps.next()
      t.ok(asked.length - taken.length <= concurrency)
      for (const { answer } of asked) answer()
      await step
      await settled()
      // A slow reader takes none: what lies ready counts as in flight.
      t.ok(asked.length - taken.length <= concurrency)
    }
    t.equal(asked.length, 9)
  }
})

t.test('a page that fails is heard of in its turn', async (t) => {
  const { pages } = pagesAt(0, 10, 20)
  const { getPage, at } = byHand()
  const steps = walkPages(pages, getPage, 8)
  const first = steps.next()
  const failure = new Error('no. 10 failed')
  at(10)?.fail(failure)
  await settled()
  at(0)?.answer()
  t.equal(firstOf(await first), 0)
  await t.rejects(steps.next(), failure)
  t.equal(at(20)?.signal.aborted, true, 'what is in flight ends with the read')
  t.match(await steps.next(), { done: true })
})

t.test('a page that is not wanted any more is aborted, and its failure never heard', async (t) => {
  const { pages, left } = pagesAt(0, 10, 20)
  const { asked, getPage, at } = byHand()
  const steps = walkPages(pages, getPage, 8)
  const first = steps.next()
  left.splice(1, 2, requestAt(15))
  at(0)?.answer()
  await first
  const second = steps.next()
  t.strictSame(
    asked.map(({ position, signal }) => [position, signal.aborted]),
    [
      [0, false],
      [10, true],
      [20, true],
      [15, false],
    ],
  )
  t.match(at(10)?.signal.reason, { message: /not needed/ })
  at(10)?.fail(new Error('aborted'))
  at(20)?.fail(new Error('aborted'))
  at(15)?.answer()
  t.equal(firstOf(await second), 15)
})

t.test('another look at a place where one is in flight is asked for anew', async (t) => {
  const { pages, left } = pagesAt(0, 10)
  const { asked, getPage, at } = byHand()
  const steps = walkPages(pages, getPage, 8)
  const first = steps.next()
  left.splice(1, 1, requestAt(10))
  at(0)?.answer()
  await first
  const second = steps.next()
  t.strictSame(
    asked.map(({ position, signal }) => [position, signal.aborted]),
    [
      [0, false],
      [10, true],
      [10, false],
    ],
  )
  asked[2]?.answer()
  t.equal(firstOf(await second), 10)
})

t.test('a page that was taken is asked for anew when it is wanted again', async (t) => {
  const { pages } = pagesAt(0, 0)
  const { asked, getPage } = byHand()
  const steps = walkPages(pages, getPage, 1)
  const first = steps.next()
  asked[0]?.answer()
  await first
  const second = steps.next()
  t.equal(asked.length, 2)
  asked[1]?.answer()
  t.equal(firstOf(await second), 0)
})

t.test('what gives nothing is not given, and the next page is asked for', async (t) => {
  const { pages } = pagesAt(0, 10)
  const { asked, getPage } = byHand()
  const steps = walkPages({ ...pages, take: nothingAt0(pages) }, getPage, 1)
  const step = steps.next()
  asked[0]?.answer()
  await settled()
  asked[1]?.answer()
  t.equal(firstOf(await step), 10)
})

t.test('when the reader goes away, all that is in flight is aborted', async (t) => {
  const { pages } = pagesAt(0, 10, 20, 30)
  const { asked, getPage, at } = byHand()
  const steps = walkPages(pages, getPage, 3)
  const first = steps.next()
  at(0)?.answer()
  await first
  await steps.return()
  t.strictSame(
    asked.filter(({ position }) => position > 0).map(({ signal }) => signal.aborted),
    [true, true],
  )
  t.match(at(10)?.signal.reason, { message: /has ended/ })
  t.notOk(at(30), 'and nothing more is asked for')
})

t.test('what the pages throw ends the read and what is in flight', async (t) => {
  const { pages } = pagesAt(0, 10)
  const { getPage, at } = byHand()
  const failure = new Error('the list changed')
  const refuse = () => {
    throw failure
  }
  const first = walkPages({ ...pages, take: refuse }, getPage, 2).next()
  at(0)?.answer()
  await t.rejects(first, failure)
  t.equal(at(10)?.signal.aborted, true)
})

t.test('a read that has ended asks for nothing', async (t) => {
  const { pages } = pagesAt()
  const { asked, getPage } = byHand()
  t.match(await walkPages(pages, getPage, 8).next(), { done: true })
  t.strictSame(asked, [])
})

function nothingAt0({ take }: Pages): Pages['take'] {
  return (page) => {
    const step = take(page)
    return page.items[0] === 0 ? null : step
  }
}
