import fc from 'fast-check'
import t from 'tap'
import { consentEnd } from '../../src/spotify/consent.ts'

const dayMs = 24 * 3600 * 1000
const at = (date: string) => Date.parse(date)
const endOf = (date: string) => new Date(consentEnd(at(date), 0).expiresAtMs).toISOString()

t.test('a consent ends on the same day 6 months later, at the same time', async (t) => {
  t.equal(endOf('2026-11-25T13:14:15.016Z'), '2027-05-25T13:14:15.016Z')
  t.equal(endOf('2026-01-01'), '2026-07-01T00:00:00.000Z')
  t.equal(endOf('2026-07-31'), '2027-01-31T00:00:00.000Z')
})

t.test('where that month is too short, on its last day', async (t) => {
  t.equal(endOf('2026-08-31T23:59:59Z'), '2027-02-28T23:59:59.000Z')
  t.equal(endOf('2026-08-29'), '2027-02-28T00:00:00.000Z')
  t.equal(endOf('2026-03-31'), '2026-09-30T00:00:00.000Z')
  t.equal(endOf('2026-12-31'), '2027-06-30T00:00:00.000Z')
})

t.test('a leap year has its day more', async (t) => {
  t.equal(endOf('2027-08-31'), '2028-02-29T00:00:00.000Z')
  t.equal(endOf('2027-08-29'), '2028-02-29T00:00:00.000Z')
  t.equal(endOf('2028-02-29'), '2028-08-29T00:00:00.000Z')
  t.equal(endOf('2099-08-31'), '2100-02-28T00:00:00.000Z')
})

t.test('the days left are whole ones, and negative from the end on', async (t) => {
  const consentedAtMs = at('2026-05-25T12:00:00Z')
  const { expiresAtMs } = consentEnd(consentedAtMs, 0)
  const daysLeft = (nowMs: number) => consentEnd(consentedAtMs, nowMs).daysLeft
  t.equal(daysLeft(consentedAtMs), 184)
  t.equal(daysLeft(expiresAtMs - 14 * dayMs), 14)
  t.equal(daysLeft(expiresAtMs - 14 * dayMs + 1), 13)
  t.equal(daysLeft(expiresAtMs - 1), 0)
  t.equal(daysLeft(expiresAtMs), 0)
  t.equal(daysLeft(expiresAtMs + 1), -1)
  t.equal(daysLeft(expiresAtMs + 10 * dayMs), -10)
})

t.test('every consent lasts 181 to 184 days and ends in the sixth month', async (t) => {
  const instants = fc.date({
    min: new Date('2026-01-01'),
    max: new Date('2200-01-01'),
    noInvalidDate: true,
  })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(instants, (consented) => {
        const end = new Date(consentEnd(consented.getTime(), 0).expiresAtMs)
        const days = (end.getTime() - consented.getTime()) / dayMs
        return (
          days >= 181 && days <= 184 && end.getUTCMonth() === (consented.getUTCMonth() + 6) % 12
        )
      }),
    ),
  )
})
