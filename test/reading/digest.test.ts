import t from 'tap'
import { extend, hashOf } from '../../src/reading/digest.ts'

const digestOf = (texts: string[]) => texts.reduce(extend, '')

t.test('a hash is the first 12 characters of the SHA-256, as offsets have it', async (t) => {
  // sha256("key 0") in base64url: offsets outlive a release, so it must not change.
  t.equal(hashOf('key 0'), 'Saxd4hntrmL5')
  t.match(hashOf(''), /^[\w-]{12}$/)
  t.not(hashOf('a'), hashOf('b'))
})

t.test('a sequence has a digest that goes on from the one before', async (t) => {
  t.equal(extend(digestOf(['a', 'b']), 'c'), digestOf(['a', 'b', 'c']))
  t.match(digestOf(['a']), /^[\w-]{12}$/)
  t.equal(digestOf([]), '')
})

t.test('order, repeats and where a text ends all count', async (t) => {
  const sequences = [
    ['a', 'b'],
    ['b', 'a'],
    ['a'],
    ['a', 'a'],
    ['a', 'b', 'b'],
    ['ab'],
    ['a b'],
    [' a', 'b'],
    ['', 'a', 'b'],
  ]
  t.equal(new Set(sequences.map(digestOf)).size, sequences.length)
})
