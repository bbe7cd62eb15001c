import t from 'tap'
import { createLinks } from '../src/links.ts'
import { Tickets } from '../src/tickets.ts'
import { FakeClock } from './helpers/fake-clock.ts'

const quarterMs = 15 * 60_000

t.test('a ticket is good once, for its own connection', async (t) => {
  const tickets = new Tickets(new FakeClock())
  const [one, other] = [tickets.issue('anna'), tickets.issue('anna')]
  t.match(one, /^[\w-]{43}$/)
  t.not(one, other)
  t.equal(tickets.spend(one, 'bea'), false)
  t.equal(tickets.spend(`${one}x`, 'anna'), false)
  t.equal(tickets.spend(one, 'anna'), true, 'another connection has not used it up')
  t.equal(tickets.spend(one, 'anna'), false)
  t.equal(tickets.spend(other, 'anna'), true)
})

t.test(
  'a ticket is good for a quarter of an hour, and not for longer by a clock set back',
  async (t) => {
    const clock = new FakeClock()
    const tickets = new Tickets(clock)
    for (const [laterMs, isGood] of [
      [quarterMs, true],
      [quarterMs + 1, false],
      [-1, false],
    ] as const) {
      const issuedAtMs = clock.now()
      const ticket = tickets.issue('anna')
      clock.setTo(issuedAtMs + laterMs)
      t.equal(tickets.spend(ticket, 'anna'), isGood, `${laterMs} ms`)
    }
  },
)

t.test('the newest ten thousand are known', async (t) => {
  const tickets = new Tickets(new FakeClock())
  const issued = Array.from({ length: 10_001 }, () => tickets.issue('anna'))
  t.equal(tickets.spend(issued[0] as string, 'anna'), false)
  t.equal(tickets.spend(issued[1] as string, 'anna'), true)
})

t.test(
  'links hold a new ticket each time where tickets are needed, and none where not',
  async (t) => {
    const tickets = new Tickets(new FakeClock())
    const base = 'https://connector.example/spotify'
    const plain = createLinks(() => base, null)
    t.equal(plain.callback(), `${base}/callback`)
    t.equal(plain.authorizeNow('anna'), `${base}/connections/anna/authorize`)
    const links = createLinks(() => base, tickets)
    t.equal(links.authorize('anna'), plain.authorize('anna'), 'that may be logged')
    const [one, other] = [1, 2].map(() => new URL(links.authorizeNow('anna')))
    t.not(one?.href, other?.href)
    t.equal(tickets.spend(one?.searchParams.get('ticket') as string, 'anna'), true)
  },
)
