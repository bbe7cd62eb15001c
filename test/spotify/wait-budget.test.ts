import t from 'tap'
import { WaitBudget } from '../../src/spotify/wait-budget.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const { signal } = new AbortController()

t.test('a wait is taken from the budget, and what passes between waits is not', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(20_000, clock)
  t.equal(budget.remainingMs, 20_000)
  const waited = budget.wait(5_000, signal, 'rate-limited')
  await clock.advance(5_000)
  await waited
  await clock.advance(60_000)
  t.equal(budget.spentMs, 5_000)
  t.equal(budget.remainingMs, 15_000)
})

t.test('waits side by side count once', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(20_000, clock)
  const first = budget.wait(5_000, signal, 'rate-limited')
  await clock.advance(2_000)
  const others = Array.from({ length: 7 }, () => budget.wait(5_000, signal, 'rate-limited'))
  await clock.advance(5_000)
  await Promise.all([first, ...others])
  t.equal(budget.spentMs, 7_000)
  t.equal(budget.remainingMs, 13_000)
})

t.test('a wait that is under way is off the remaining budget already', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(20_000, clock)
  const waited = budget.wait(15_000, signal, 'rate-limited')
  await clock.advance(10_000)
  t.equal(budget.remainingMs, 10_000)
  await clock.advance(5_000)
  await waited
  t.equal(budget.remainingMs, 5_000)
})

t.test('no budget is ever less than nothing', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(1_000, clock)
  const waited = budget.wait(5_000, signal, 'rate-limited')
  await clock.advance(5_000)
  await waited
  t.equal(budget.remainingMs, 0)
  t.equal(budget.spentMs, 5_000)
})

t.test('an aborted wait rejects with the reason, and counts as far as it came', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(20_000, clock)
  const controller = new AbortController()
  const reason = new Error('the reader went away')
  const waited = t.rejects(budget.wait(10_000, controller.signal, 'rate-limited'), reason)
  await clock.advance(3_000)
  controller.abort(reason)
  await waited
  await clock.advance(30_000)
  t.equal(budget.spentMs, 3_000)
  t.equal(budget.remainingMs, 17_000)
  t.equal(clock.sleeping, 0)
})

t.test('the longest wait that is going on is told, with what it is for', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(20_000, clock)
  t.equal(budget.current, null)
  const nowMs = clock.now()
  const short = budget.wait(1_000, signal, 'upstream-error')
  t.strictSame(budget.current, { untilMs: nowMs + 1_000, code: 'upstream-error' })
  const long = budget.wait(5_000, signal, 'rate-limited')
  const shorter = budget.wait(500, signal, 'upstream-timeout')
  t.strictSame(budget.current, { untilMs: nowMs + 5_000, code: 'rate-limited' })
  await clock.advance(1_000)
  await Promise.all([short, shorter])
  t.match(budget.current, { code: 'rate-limited' })
  await clock.advance(4_000)
  await long
  t.equal(budget.current, null)
})

t.test('a clock set back gives no time back', async (t) => {
  const clock = new FakeClock()
  const budget = new WaitBudget(20_000, clock)
  const waited = budget.wait(5_000, signal, 'rate-limited')
  clock.setTo(clock.now() - 3600_000)
  t.equal(budget.remainingMs, 20_000)
  await clock.advance(3600_000 + 5_000)
  await waited
  t.ok(budget.remainingMs <= 20_000)
})
