import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import t from 'tap'
import { gzip, takesGzip } from '../src/compression.ts'

t.test('gzip is sent to who takes it, and not less gladly than the plain body', async (t) => {
  for (const header of [
    'gzip',
    'GZIP',
    'x-gzip',
    '*',
    'deflate, gzip, br, zstd',
    'gzip;q=0.1',
    'br;q=1, gzip;q=0.5',
    'identity, gzip',
    'identity;q=0.5 , gzip;q=0.8',
    'gzip ; q=1.000',
  ]) {
    t.equal(takesGzip(header), true, header)
  }
  for (const header of [
    undefined,
    '',
    'identity',
    'br',
    'gzip;q=0',
    '*;q=0',
    'gzip;q=0, *',
    'gzip;q=0.5, identity',
    'gzip;q=2',
    'gzip;q=x',
    'gzipped',
  ]) {
    t.equal(takesGzip(header), false, String(header))
  }
})

t.test('with a flush, what is written can be read before the next is there', async (t) => {
  const later = Promise.withResolvers<void>()
  const source = Readable.from(
    (async function* () {
      yield 'the first'
      await later.promise
      yield 'the second'
    })(),
  )
  const plain = gzip(source, { flush: true }).pipe(createGunzip()).setEncoding('utf8')
  const pieces = plain[Symbol.asyncIterator]()
  t.equal((await pieces.next()).value, 'the first')
  later.resolve()
  t.equal((await pieces.next()).value, 'the second')
  t.equal((await pieces.next()).done, true)
})

t.test('without one it is the same whole', async (t) => {
  const source = Readable.from(['a'.repeat(10_000), 'b'])
  const chunks = await Array.fromAsync(gzip(source, { flush: false }))
  t.equal(gunzipSync(Buffer.concat(chunks)).toString(), `${'a'.repeat(10_000)}b`)
  t.ok(Buffer.concat(chunks).length < 100)
})

t.test('a reader that does not read on stops the source', async (t) => {
  let pieces = 0
  const source = Readable.from(
    (async function* () {
      while (pieces++ < 1_000) yield randomBytes(64 * 1024)
    })(),
    { highWaterMark: 1 },
  )
  const stalled = gzip(source, { flush: true })
  await once(stalled, 'readable')
  // Time for what could still move.
  await delay(100)
  t.ok(pieces < 10, `${pieces} pieces`)
  t.equal((await Array.fromAsync(stalled)).length > 0, true)
  t.equal(pieces, 1_001, 'and it goes on')
})

t.test('who stops reading ends the source, and a failure of it is heard of', async (t) => {
  let isOver = false
  const source = Readable.from(
    (async function* () {
      try {
        for (;;) {
          yield 'more'
          await turn()
        }
      } finally {
        isOver = true
      }
    })(),
  )
  const left = gzip(source, { flush: true })
  left.resume()
  await turn()
  left.destroy()
  while (!isOver) await turn()
  t.ok(source.destroyed)

  const failing = Readable.from(
    (async function* () {
      yield 'some'
      throw new Error('it broke')
    })(),
  )
  await t.rejects(Array.fromAsync(gzip(failing, { flush: true })), { message: 'it broke' })
})
