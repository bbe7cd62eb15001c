import { strictEqual, throws } from 'node:assert'
import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createTokenCipher, lockedCipher, plainCipher } from '../../src/database/token-cipher.ts'

const key = createSecretKey(Buffer.alloc(32, 1))
const cipher = createTokenCipher(key)
const place = { table: 'consents', connection: 'default', clientId: 'app', fingerprint: 'f' }

t.test('what was sealed opens where it was sealed, whatever it is', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (token) => {
      strictEqual(cipher.open(cipher.seal(token, place), place), token)
    }),
  )
  t.pass()
})

t.test('the same token is another text each time, and never in it', async (t) => {
  const sealed = Array.from({ length: 100 }, () => cipher.seal('AQ-the-token', place))
  t.equal(new Set(sealed).size, 100)
  t.equal(new Set(sealed.map((text) => text.slice(3, 19))).size, 100, 'by its nonce')
  for (const text of sealed) {
    t.match(text, /^v1\.[\w-]{54}$/)
    t.notMatch(Buffer.from(text.slice(3), 'base64url').toString('latin1'), 'token')
  }
})

t.test('it is AES-256-GCM with a nonce of 96 bits, a tag of 128, and its place', async (t) => {
  // Made with Python's cryptography, AESGCM(key).encrypt(nonce, token, place).
  const known = 'v1.AgICAgICAgICAgICRofkPSIy7Im8p9mm8KThsV-w6AxqK4KO_dEmBA'
  const fixed = createTokenCipher(key, (bytes) => Buffer.alloc(bytes, 2))
  t.equal(fixed.seal('AQ-the-token', place), known)
  t.equal(fixed.open(known, place), 'AQ-the-token')
})

t.test('it opens in no other row and in no other table', async (t) => {
  const sealed = cipher.seal('token', place)
  for (const other of [
    { ...place, table: 'connections' },
    { ...place, connection: 'other' },
    { ...place, clientId: 'other' },
    { ...place, fingerprint: 'other' },
    { ...place, connection: 'defaul', clientId: 'tapp' },
    { ...place, connection: 'default","app', clientId: '' },
  ]) {
    t.throws(() => cipher.open(sealed, other), { message: /moved here from another row/ })
  }
})

t.test('it opens with no other key, and not when a bit of it was changed', async (t) => {
  const sealed = cipher.seal('AQ-the-token', place)
  const other = createTokenCipher(createSecretKey(randomBytes(32)))
  t.throws(() => other.open(sealed, place), { message: /encrypted with another key/ })
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    throws(() => cipher.open(`v1.${changed.toString('base64url')}`, place), /it was changed/)
  }
  for (const length of [0, 1, 27]) {
    const short = `v1.${bytes.subarray(0, length).toString('base64url')}`
    throws(() => cipher.open(short, place), /not of the form/)
  }
  throws(() => cipher.open(`v1.${bytes.subarray(0, -1).toString('base64url')}`, place), /changed/)
  for (const text of ['', 'AQ-the-token', `v2.${sealed.slice(3)}`, sealed.slice(3)]) {
    t.throws(() => cipher.open(text, place), { message: /not of the form/ })
  }
})

t.test('without a key tokens are stored as they are, and a locked one gives none', async (t) => {
  t.equal(plainCipher.seal('token', place), 'token')
  t.equal(plainCipher.open('token', place), 'token')
  t.throws(() => lockedCipher.seal('token', place), /DATABASE_ENCRYPTION_KEY/)
  t.throws(() => lockedCipher.open('token', place), /DATABASE_ENCRYPTION_KEY/)
})
