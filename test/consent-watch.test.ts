import t from 'tap'
import { ConsentWatch } from '../src/consent-watch.ts'
import type { Connection } from '../src/spotify/connection.ts'
import { consentEnd } from '../src/spotify/consent.ts'
import { FakeClock } from './helpers/fake-clock.ts'
import { memoryLog } from './helpers/log.ts'

const dayMs = 24 * 3600_000

/** A watch over connections whose consents were given then (Unix ms; null: not known). */
function watchOver(clock: FakeClock, consents: Record<string, number | null>) {
  const log = memoryLog()
  const all = () =>
    Object.entries(consents).map(([name, consentedAtMs]) => ({
      status: () => ({
        name,
        ...(consentedAtMs === null
          ? { expiresAtMs: null, daysLeft: null }
          : consentEnd(consentedAtMs, clock.now())),
      }),
      remedy: () => `Authorise ${name}.`,
    })) as unknown as Connection[]
  return { log, consents, watch: new ConsentWatch({ connections: { all }, clock, log }) }
}

t.test('from 14 days before its end a consent is warned of, once a day', async (t) => {
  const clock = new FakeClock()
  const { watch, log } = watchOver(clock, { default: Date.UTC(2026, 5, 11, 12), anna: null })
  // It ends on 11 December at noon, 16 days from now.
  watch.look()
  clock.setTo(Date.UTC(2026, 10, 26, 11))
  watch.look()
  t.same(log.lines, [])
  clock.setTo(Date.UTC(2026, 10, 26, 13))
  watch.look()
  t.match(log.of('warn'), [/connection default ends in 14 days: Authorise default\.$/])
  for (let hours = 0; hours < 23; hours++) {
    await clock.advance(dayMs / 24)
    watch.look()
  }
  t.equal(log.lines.length, 1)
  await clock.advance(dayMs / 24)
  watch.look()
  t.match(log.lines[1], {
    level: 'warn',
    facts: { connection: 'default', days_left: 13, expires_at: '2026-12-11T12:00:00.000Z' },
  })
})

t.test('one that has ended is told too, and a new one is quiet', async (t) => {
  const clock = new FakeClock()
  const { watch, log, consents } = watchOver(clock, { anna: Date.UTC(2026, 4, 1) })
  watch.look()
  t.match(log.of('warn'), [/connection anna has ended/])
  consents.anna = clock.now()
  await clock.advance(2 * dayMs)
  watch.look()
  t.equal(log.lines.length, 1)
})

t.test('a clock set back silences nothing', async (t) => {
  const clock = new FakeClock()
  const { watch, log } = watchOver(clock, { default: Date.UTC(2026, 4, 26) })
  watch.look()
  clock.setTo(clock.now() - dayMs)
  watch.look()
  t.equal(log.lines.length, 2)
})
