import fc from 'fast-check'
import t from 'tap'
import { parseRetryAfter } from '../../src/spotify/retry-after.ts'

// A date without a zone must not be read in local time.
process.env.TZ = 'America/New_York'

const nowMs = Date.UTC(2026, 10, 25, 12)
const dayS = 24 * 3600
const mostMs = 30 * dayS * 1000

t.test('whole seconds are taken as they are', async (t) => {
  t.equal(parseRetryAfter('1', nowMs), 1_000)
  t.equal(parseRetryAfter('48925', nowMs), 48_925_000)
  t.equal(parseRetryAfter(' 7 ', nowMs), 7_000)
})

t.test('a fraction of a second is rounded up', async (t) => {
  t.equal(parseRetryAfter('1.5', nowMs), 2_000)
  t.equal(parseRetryAfter('0.001', nowMs), 1_000)
  t.equal(parseRetryAfter('2.0', nowMs), 2_000)
})

t.test('what says nothing usable gives null', async (t) => {
  const useless = [undefined, [], '', ' ', '0', '0.0', '-5', 'soon', '1e3', '0x10', '5 s', 'NaN']
  const dates = [
    '2026-11-25T12:01:00Z',
    'Wed, 25 Nov 2026 12:01:00',
    'Wed, 99 Foo 2026 12:01:00 GMT',
  ]
  for (const header of [...useless, ...dates, 'Infinity', ', ,']) {
    t.equal(parseRetryAfter(header, nowMs), null, JSON.stringify(header))
  }
})

t.test('a date counts from now, in every form that HTTP has', async (t) => {
  t.equal(parseRetryAfter('Wed, 25 Nov 2026 12:01:30 GMT', nowMs), 90_000)
  t.equal(parseRetryAfter('Wednesday, 25-Nov-26 12:01:30 GMT', nowMs), 90_000)
  t.equal(parseRetryAfter('Wed Nov 25 12:01:30 2026', nowMs), 90_000)
  t.equal(parseRetryAfter('Sat Dec  5 12:00:00 2026', nowMs), 10 * dayS * 1000)
})

t.test('a date less than a second ahead is a second', async (t) => {
  t.equal(parseRetryAfter('Wed, 25 Nov 2026 12:00:01 GMT', nowMs + 999), 1_000)
})

t.test('a date that is past, or is now, gives null', async (t) => {
  for (const date of ['Wed, 25 Nov 2026 11:59:59 GMT', 'Wed, 25 Nov 2026 12:00:00 GMT']) {
    t.equal(parseRetryAfter(date, nowMs), null)
  }
  t.equal(parseRetryAfter('Sunday, 06-Nov-94 08:49:37 GMT', nowMs), null)
})

t.test('of several values the largest counts, whatever the others are', async (t) => {
  t.equal(parseRetryAfter(['3', '120'], nowMs), 120_000)
  t.equal(parseRetryAfter('120, 3', nowMs), 120_000)
  t.equal(parseRetryAfter(['0', 'soon', '-1', '4'], nowMs), 4_000)
  t.equal(parseRetryAfter('5, Wed, 25 Nov 2026 12:01:30 GMT', nowMs), 90_000)
  t.equal(parseRetryAfter('Wed, 25 Nov 2026 12:00:02 GMT, 5', nowMs), 5_000)
})

t.test('30 days are the most', async (t) => {
  t.equal(parseRetryAfter(String(30 * dayS), nowMs), mostMs)
  for (const header of [String(30 * dayS + 1), '9'.repeat(400), 'Fri, 25 Nov 2044 12:00:00 GMT']) {
    t.equal(parseRetryAfter(header, nowMs), mostMs)
  }
})

t.test('every instant ahead is waited for in full, and not a second longer', async (t) => {
  const ahead = fc.integer({ min: 1, max: mostMs })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ahead, (aheadMs) => {
        const date = new Date(nowMs + aheadMs).toUTCString()
        const atMs = Date.parse(date) // whole seconds
        const waitMs = parseRetryAfter(date, nowMs)
        return atMs <= nowMs ? waitMs === null : waitMs === atMs - nowMs
      }),
    ),
  )
})

t.test('whatever comes, the wait is whole seconds from 1 to 30 days, or null', async (t) => {
  const instant = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
  const part = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.integer().map(String),
    fc.bigInt().map(String),
    instant.map((date) => date.toUTCString()),
    instant.map((date) => date.toUTCString().replace(/\d/, '9')),
  )
  const header = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(', '))
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.oneof(header, fc.array(header)), (value) => {
        const waitMs = parseRetryAfter(value, nowMs)
        if (waitMs === null) return true
        return Number.isInteger(waitMs / 1000) && waitMs >= 1_000 && waitMs <= mostMs
      }),
    ),
  )
})
