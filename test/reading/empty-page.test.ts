import t from 'tap'
import { pageWithItems } from '../../src/reading/empty-page.ts'
import { memoryLog } from '../helpers/log.ts'

const empty = { items: [] }

/** Answers with these pages, one after the other, and then with the last one for ever. */
function pages<P>(...answers: [P, ...P[]]) {
  let count = 0
  const ask = async () => answers[Math.min(count++, answers.length - 1)] ?? answers[0]
  return { ask, asked: () => count }
}

t.test('a page with items is taken at once, even where it could be the end', async (t) => {
  const page = { items: ['a'] }
  const { ask, asked } = pages(page)
  const log = memoryLog()
  t.equal(await pageWithItems(ask, () => true, log), page)
  t.equal(asked(), 1)
  t.strictSame(log.of('warn'), [])
})

t.test('a second empty page is believed where it could be the end', async (t) => {
  const { ask, asked } = pages(empty)
  const log = memoryLog()
  t.equal(await pageWithItems(ask, () => true, log), null)
  t.equal(asked(), 2)
  t.equal(log.of('warn').length, 2)
})

t.test('an empty page that could not be the end is asked for up to four times', async (t) => {
  const page = { items: ['a'] }
  const { ask, asked } = pages<{ items: string[] }>(empty, empty, empty, page)
  t.equal(await pageWithItems(ask, () => false, memoryLog()), page)
  t.equal(asked(), 4)
})

t.test('after four empty pages that could not be the end, it is given up', async (t) => {
  const { ask, asked } = pages(empty)
  await t.rejects(
    pageWithItems(ask, () => false, memoryLog()),
    { code: 'upstream-error', retryable: true, message: /empty page/ },
  )
  t.equal(asked(), 4)
})

t.test('whether it could be the end is asked of the page at hand', async (t) => {
  const first = { items: [], total: 0 }
  const second = { items: [], total: 9 }
  const { ask, asked } = pages(first, second, first)
  t.equal(await pageWithItems(ask, ({ total }) => total === 0, memoryLog()), null)
  t.equal(asked(), 3)
})

t.test('a failure to ask is passed on', async (t) => {
  const failure = new Error('refused')
  await t.rejects(
    pageWithItems(
      () => Promise.reject(failure),
      () => true,
      memoryLog(),
    ),
    failure,
  )
})
