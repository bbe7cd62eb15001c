import t from 'tap'
import { PendingConsents } from '../../src/spotify/pending-consents.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

const callback = 'http://127.0.0.1:8080/callback'
const failed = (message: RegExp) => ({ code: 'consent-failed', message })

t.test('what comes back to its browser is what was begun there, once', async (t) => {
  const pending = new PendingConsents(new FakeClock())
  const { state, verifier } = pending.begin('anna', callback, 'browser')
  t.match(verifier, /^[\w-]{43}$/)
  t.not(state, verifier)
  t.throws(() => pending.take(state, 'other'), failed(/another browser/))
  t.throws(() => pending.take(state, null), failed(/another browser/))
  t.strictSame(pending.take(state, 'browser'), {
    connection: 'anna',
    redirectUri: callback,
    verifier,
  })
  t.throws(() => pending.take(state, 'browser'), failed(/came back before/))
  t.throws(() => pending.take('unknown', 'browser'), failed(/is not known/))
})

t.test('two that are under way in one browser do not disturb each other', async (t) => {
  const pending = new PendingConsents(new FakeClock())
  const [anna, bea] = ['anna', 'bea'].map((name) => pending.begin(name, callback, 'browser'))
  t.equal(pending.take(bea?.state as string, 'browser').connection, 'bea')
  t.equal(pending.take(anna?.state as string, 'browser').connection, 'anna')
})

for (const ms of [10 * 60_000 + 1, -1]) {
  t.test(`one that comes back after ${ms} ms does not count`, async (t) => {
    const clock = new FakeClock()
    const pending = new PendingConsents(clock)
    const { state } = pending.begin('anna', callback, 'browser')
    clock.setTo(clock.now() + ms)
    t.throws(() => pending.take(state, 'browser'), failed(/more than 10 minutes/))
    clock.setTo(clock.now() - ms)
    t.throws(() => pending.take(state, 'browser'), failed(/came back before/))
  })
}

t.test('no more than a thousand are kept, and the newest of them', async (t) => {
  const pending = new PendingConsents(new FakeClock())
  const states = Array.from(
    { length: 1_001 },
    () => pending.begin('anna', callback, 'browser').state,
  )
  t.throws(() => pending.take(states[0] as string, 'browser'), failed(/is not known/))
  t.equal(pending.take(states[1] as string, 'browser').connection, 'anna')
})
