import fc from 'fast-check'
import t from 'tap'
import { Secrets } from '../src/secrets.ts'

t.test('a secret is struck out wherever it stands', async (t) => {
  const secrets = new Secrets()
  secrets.addPermanent('client-secret')
  secrets.add('access-token')
  t.equal(
    secrets.scrub('client-secret, access-token and client-secret again'),
    '[redacted], [redacted] and [redacted] again',
  )
  t.equal(secrets.scrub('nothing of ours'), 'nothing of ours')
})

t.test('it is struck out inside JSON and URLs as well', async (t) => {
  const secret = 'a"b\\c/d+e f\u00e9'
  const secrets = new Secrets()
  secrets.add(secret)
  t.equal(secrets.scrub(JSON.stringify({ secret })), '{"secret":"[redacted]"}')
  t.equal(secrets.scrub(`?token=${encodeURIComponent(secret)}&x`), '?token=[redacted]&x')
})

t.test('a secret whose end was cut off is struck out, from 16 characters on', async (t) => {
  const secret = 'AQ0123456789abcdefghijklmnop'
  const secrets = new Secrets()
  secrets.add(secret)
  for (let length = 16; length < secret.length; length++) {
    const begin = secret.slice(0, length)
    t.equal(
      secrets.scrub(`it said "${begin}…" and ${begin}`),
      'it said "[redacted]…" and [redacted]',
    )
  }
  t.equal(secrets.scrub(secret.slice(0, 15)), secret.slice(0, 15))
})

t.test('a cut in the middle of an escape leaves JSON as it is', async (t) => {
  const secrets = new Secrets()
  secrets.add('0123456789abcde"0123456789')
  const text = JSON.stringify({ said: '0123456789abcde"' })
  t.equal(secrets.scrub(text), text)
})

t.test('what is shorter than 6 characters stays, or words would be struck out', async (t) => {
  const secrets = new Secrets()
  for (const short of ['', 'a', 'saved']) secrets.addPermanent(short)
  t.equal(secrets.scrub('a saved track'), 'a saved track')
  secrets.addPermanent('saved!')
  t.equal(secrets.scrub('a saved! track'), 'a [redacted] track')
})

t.test('the newest 64 tokens are known, and configured secrets for good', async (t) => {
  const secrets = new Secrets()
  secrets.addPermanent('client-secret')
  const tokens = Array.from({ length: 65 }, (_, nth) => `access-token-${100 + nth}`)
  for (const token of tokens) secrets.add(token)
  const [oldest = '', ...known] = tokens
  t.equal(secrets.scrub(oldest), oldest)
  for (const token of ['client-secret', ...known]) t.equal(secrets.scrub(token), '[redacted]')
})

t.test('any secret at all is struck out of any text, half an emoji too', async (t) => {
  const secret = fc
    .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 6, maxLength: 20 })
    .map((units) => String.fromCharCode(...units))
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (known, before, after) => {
        const secrets = new Secrets()
        secrets.add(known)
        return !secrets.scrub(`${before}${known}${after}`).includes(known)
      }),
    ),
  )
})
