import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { parseAccessKeys } from '../src/access-keys.ts'

t.test('keys stand between commas or line ends, in any mixture', async (t) => {
  const plain = (...keys: string[]) => keys.map((key) => ({ key, connections: null }))
  t.strictSame(parseAccessKeys('k1'), plain('k1'))
  t.strictSame(parseAccessKeys('k1,k2'), plain('k1', 'k2'))
  t.strictSame(parseAccessKeys('k1\nk2\r\nk3,k4'), plain('k1', 'k2', 'k3', 'k4'))
  t.strictSame(parseAccessKeys('aZ0-._~+/=='), plain('aZ0-._~+/=='))
})

t.test('a key may be bound to connections', async (t) => {
  t.strictSame(parseAccessKeys('k+1@one+two_2,k2,k3@default'), [
    { key: 'k+1', connections: ['one', 'two_2'] },
    { key: 'k2', connections: null },
    { key: 'k3', connections: ['default'] },
  ])
})

const wrong: Record<string, RegExp> = {
  '': /nothing where key no\. 1/,
  'hush,': /nothing where key no\. 2/,
  ',hush': /nothing where key no\. 1/,
  'hush,,hush2': /nothing where key no\. 2/,
  'hush\n\nhush2': /nothing where key no\. 2/,
  'hush, hush2': /key, no\. 2, of other characters/,
  'hush\thush': /key, no\. 1, of other characters/,
  'hush\rhush': /key, no\. 1, of other characters/,
  'hush:hush': /key, no\. 1, of other characters/,
  hüsh: /key, no\. 1, of other characters/,
  'hu=sh': /key, no\. 1, of other characters/,
  '===': /key, no\. 1, of other characters or of none/,
  '@one': /key, no\. 1, of other characters or of none/,
  'hush@': /binds key no\. 1/,
  'hush@one+': /binds key no\. 1/,
  'hush@+one': /binds key no\. 1/,
  'hush@One': /binds key no\. 1/,
  'hush@one@two': /binds key no\. 1/,
  'hush@one two': /binds key no\. 1/,
  'hush,hush': /key no\. 2 twice/,
  'hush,hush@one': /key no\. 2 twice/,
}

t.test('what is wrong is said without the key', async (t) => {
  for (const [text, said] of Object.entries(wrong)) {
    const objection = parseAccessKeys(text)
    t.match(objection, said, JSON.stringify(text))
    t.notMatch(objection, /hush|hüsh/)
  }
})

t.test('every b64token is a key, and comes back as it was', async (t) => {
  const token = fc.stringMatching(/^[A-Za-z0-9\-._~+/]+=*$/)
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/)
  const connections = fc.option(fc.array(name, { minLength: 1 }))
  const key = fc.record({ key: token, connections }, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.uniqueArray(key, { minLength: 1, selector: (one) => one.key }), (keys) => {
      const members = keys.map(({ key, connections }) =>
        connections === null ? key : `${key}@${connections.join('+')}`,
      )
      deepStrictEqual(parseAccessKeys(members.join(',')), keys)
    }),
  )
  t.pass()
})
