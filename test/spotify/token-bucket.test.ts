import t from 'tap'
import { TokenBucket } from '../../src/spotify/token-bucket.ts'

const nowMs = 1_000_000
const minuteMs = 60_000

t.test('a burst at once, then as many as refill', async (t) => {
  const bucket = new TokenBucket(60, 3, nowMs)
  t.equal(takeAll(bucket, nowMs), 3)
  t.equal(bucket.tryTake(nowMs + 999), false)
  t.equal(bucket.tryTake(nowMs + 1_000), true)
  t.equal(takeAll(bucket, nowMs + 3_000), 2)
})

t.test('it never holds more than a burst', async (t) => {
  const bucket = new TokenBucket(60, 3, nowMs)
  t.equal(takeAll(bucket, nowMs + 24 * 3600_000), 3)
})

t.test('the wait is how long until so many are there, and no longer', async (t) => {
  const bucket = new TokenBucket(60, 3, nowMs)
  t.equal(bucket.waitMs(3, nowMs), 0)
  t.equal(bucket.waitMs(4, nowMs), 1_000)
  takeAll(bucket, nowMs)
  t.equal(bucket.waitMs(1, nowMs), 1_000)
  t.equal(bucket.waitMs(5, nowMs), 5_000)
  t.equal(bucket.waitMs(1, nowMs + 400), 600)
})

t.test('after the wait there is a token, at speeds that leave a remainder too', async (t) => {
  for (const perMinute of [1, 7, 100, 180, 1_000]) {
    const bucket = new TokenBucket(perMinute, 1, nowMs)
    let atMs = nowMs
    for (let taken = 0; taken < 50; taken++) {
      t.ok(bucket.tryTake(atMs), `${perMinute} a minute, number ${taken}`)
      atMs += bucket.waitMs(1, atMs)
    }
  }
})

t.test('a 429 empties it and halves the speed', async (t) => {
  const bucket = new TokenBucket(60, 3, nowMs)
  bucket.drain(nowMs)
  t.equal(bucket.tryTake(nowMs), false)
  t.equal(bucket.waitMs(1, nowMs), 2_000)
})

t.test('each 429 halves again, down to a sixteenth', async (t) => {
  const bucket = new TokenBucket(60, 3, nowMs)
  const waits = Array.from({ length: 6 }, () => {
    bucket.drain(nowMs)
    return bucket.waitMs(1, nowMs)
  })
  t.same(waits, [2_000, 4_000, 8_000, 16_000, 16_000, 16_000])
})

t.test('the speed doubles again every minute, up to the whole', async (t) => {
  const bucket = new TokenBucket(60, 1, nowMs)
  bucket.drain(nowMs)
  bucket.drain(nowMs)
  const waits = [0, 1, 2, 3, 60].map((minutes) => {
    const atMs = nowMs + minutes * minuteMs
    takeAll(bucket, atMs)
    return bucket.waitMs(1, atMs)
  })
  t.same(waits, [4_000, 2_000, 1_000, 1_000, 1_000])
})

t.test('0 requests a minute means no limit, after a 429 too', async (t) => {
  const bucket = new TokenBucket(0, 1, nowMs)
  bucket.drain(nowMs)
  t.ok(Array.from({ length: 1_000 }, () => bucket.tryTake(nowMs)).every(Boolean))
  t.equal(bucket.waitMs(1_000, nowMs), 0)
})

t.test('a clock that is set back neither fills nor empties it', async (t) => {
  const bucket = new TokenBucket(60, 3, nowMs)
  bucket.tryTake(nowMs)
  t.equal(takeAll(bucket, nowMs - 3600_000), 2)
  t.equal(bucket.tryTake(nowMs - 3600_000 + 1_000), true)
})

function takeAll(bucket: TokenBucket, atMs: number): number {
  let taken = 0
  while (bucket.tryTake(atMs)) taken += 1
  return taken
}
