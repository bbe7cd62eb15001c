import fc from 'fast-check'
import t from 'tap'
import { ConfigError, ConnectorError, failures, quote } from '../src/errors.ts'

t.test('an error takes from its kind whether it is worth trying again', async (t) => {
  for (const [code, { retryable }] of Object.entries(failures)) {
    const error = new ConnectorError(code as keyof typeof failures, 'what is wrong')
    t.match(error, {
      name: 'ConnectorError',
      message: 'what is wrong',
      code,
      retryable,
      members: {},
    })
    t.equal(error.retryAfterS, undefined)
  }
})

t.test('what may succeed later is what the page of problems says', async (t) => {
  t.same(
    Object.entries(failures).flatMap(([code, { retryable }]) => (retryable ? code : [])),
    [
      'rate-limited',
      'quota-exceeded',
      'upstream-error',
      'upstream-timeout',
      'overloaded',
      'shutting-down',
    ],
  )
})

t.test('one error may say otherwise, and more', async (t) => {
  const cause = new Error('ECONNRESET')
  const members = { restart: true }
  const error = new ConnectorError('upstream-error', 'no', {
    retryable: false,
    retryAfterS: 7,
    members,
    cause,
  })
  t.match(error, { retryable: false, retryAfterS: 7, members, cause })
  t.notOk('cause' in new ConnectorError('internal', 'no'))
  t.match(new ConfigError('PORT: no number'), { name: 'ConfigError', message: 'PORT: no number' })
})

t.test('what a caller sent is quoted as JSON', async (t) => {
  t.equal(quote('tracks'), '"tracks"')
  t.equal(quote('say "hi"\n'), '"say \\"hi\\"\\n"')
  t.equal(quote(['a', 'b']), '["a","b"]')
  t.equal(quote({ a: null }), '{"a":null}')
  t.equal(quote(7), '7')
  t.equal(quote(undefined), 'undefined')
})

t.test('a quotation is at most 100 characters of it', async (t) => {
  t.equal(quote('x'.repeat(100)), `"${'x'.repeat(100)}"`)
  t.equal(quote('x'.repeat(101)), `"${'x'.repeat(100)}…"`)
  t.equal(quote(['x'.repeat(200)]).length, 101)
})

t.test('whatever is quoted is one line of well-formed text', async (t) => {
  const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 120 }), fc.jsonValue())
  const line = /^[^\p{Cc}\u2028\u2029]*$/u
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anything, (value) => {
        const quoted = quote(value)
        return quoted.isWellFormed() && line.test(quoted)
      }),
    ),
  )
  t.equal(quote('a\u0000\u0085\u2028b'), '"a\\u0000\\u0085\\u2028b"')
  t.equal(quote('\ud83d'), '"\ufffd"')
})
