import fc from 'fast-check'
import t from 'tap'
import { nameOf, pack, type Remembered, tagOf, unpack } from '../../src/reading/recent.ts'

const noonMs = Date.UTC(2026, 10, 20, 12)

const play = fc.record({
  atMs: fc.oneof(
    fc.integer({ min: noonMs - 86_400_000, max: noonMs }),
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  ),
  tag: fc.integer({ min: 0, max: 0xffff }),
})

/** `count` plays one every `everyMs`, the newest first. */
function playsBefore(newestMs: number, count: number, everyMs = 210_000): Remembered[] {
  return Array.from({ length: count }, (_, nth) => ({
    atMs: newestMs - nth * everyMs,
    tag: nth % 0x10000,
  }))
}

/** Each play once, newest first. */
function sorted(plays: Remembered[]): Remembered[] {
  const distinct = new Map(plays.map((play) => [nameOf(play), play]))
  return [...distinct.values()].sort((a, b) => b.atMs - a.atMs || a.tag - b.tag)
}

function same(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`${a} found, ${b} wanted`)
}

t.test('packed and unpacked, any plays of a window are what they were', async (t) => {
  const property = fc.property(fc.array(play, { maxLength: 50 }), (plays) =>
    same(unpack(pack(plays, [])), sorted(plays)),
  )
  t.doesNotThrow(() => fc.assert(property))
})

t.test('what fits is the newest of old and new together, and the window whole', async (t) => {
  const property = fc.property(
    fc.array(play, { maxLength: 50 }),
    fc.array(play, { maxLength: 200 }),
    (window, older) => {
      const text = pack(window, older)
      if (text.length >= 900) throw new Error(`${text.length} characters`)
      const kept = unpack(text)
      const names = new Set(kept.map(nameOf))
      const inWindow = new Set(window.map(nameOf))
      if (![...inWindow].every((name) => names.has(name))) throw new Error('a play of the window')
      // No play outside the window is kept in place of a newer one.
      const droppedMs = sorted(older)
        .filter((play) => !names.has(nameOf(play)))
        .map(({ atMs }) => atMs)
      const oldestMs = kept.filter((play) => !inWindow.has(nameOf(play))).at(-1)?.atMs ?? Infinity
      if (droppedMs.some((atMs) => atMs > oldestMs)) throw new Error('a newer play was dropped')
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})

t.test('five thousand known plays stay under 900 characters, the newest of them', async (t) => {
  const known = playsBefore(noonMs, 5000)
  const text = pack(known.slice(0, 50), known)
  t.ok(text.length < 900)
  const kept = unpack(text)
  t.strictSame(kept, known.slice(0, kept.length))
  t.ok(text.length > 890, 'no room is wasted')
})

t.test('a text of exactly 900 characters is too long', async (t) => {
  // 675 bytes: 9 for version and first play, 5 for each of 132 steps, 6 for one over half an hour.
  const plays = playsBefore(noonMs, 133)
  plays.push({ atMs: noonMs - 132 * 210_000 - 2 ** 21, tag: 0 })
  t.strictSame(unpack(pack([], plays)), plays.slice(0, -1))
  plays.splice(1, 1, { atMs: noonMs - 1, tag: 1 })
  t.strictSame(unpack(pack([], plays)), plays, 'two bytes less, and all of them fit')
})

t.test('a hundred plays at any hour of a normal week are remembered', async (t) => {
  // Bursts of 12 plays, and 11 hours of silence behind each of them.
  const plays = Array.from({ length: 300 }, (_, nth) => ({
    atMs: noonMs - nth * 210_000 - Math.floor(nth / 12) * 11 * 3_600_000,
    tag: nth,
  }))
  t.ok(unpack(pack([], plays)).length >= 100)
})

t.test('fifty plays fit whole, however far apart', async (t) => {
  const plays = playsBefore(2 ** 48 - 1, 50, Math.floor((2 ** 48 - 1) / 50))
  t.strictSame(unpack(pack(plays, playsBefore(noonMs, 200))).length >= 50, true)
  t.strictSame(unpack(pack(plays, [])), plays)
})

t.test('an old play that the window still shows is not forgotten for newer ones', async (t) => {
  const late = { atMs: noonMs - 90 * 86_400_000, tag: 7 }
  const kept = unpack(pack([late], playsBefore(noonMs, 300)))
  t.strictSame(kept.at(-1), late)
  t.strictSame(kept.slice(0, -1), playsBefore(noonMs, kept.length - 1))
})

t.test('plays of one instant are told apart by their tracks', async (t) => {
  const plays = [
    { atMs: noonMs, tag: tagOf('3n3Ppam7vgaVa1iaRUc9Lp') },
    { atMs: noonMs, tag: tagOf('7ouMYWpwJ422jRcDASZB7P') },
  ]
  t.equal(unpack(pack(plays, plays)).length, 2)
})

t.test('a tag comes from all of a key, and is 16 bits', async (t) => {
  const tags = Array.from({ length: 1000 }, (_, nth) => tagOf(`spotify:local:artist:${nth}:x`))
  t.ok(tags.every((tag) => Number.isInteger(tag) && tag >= 0 && tag <= 0xffff))
  t.ok(new Set(tags).size > 980, 'they are spread')
  t.equal(tagOf('a'), tagOf('a'))
  // FNV-1a of "a" is e40c292c; its two halves folded into one.
  t.equal(tagOf('a'), 0xe40c ^ 0x292c)
})

t.test('a text that is none of ours is an invalid offset, and never another error', async (t) => {
  const good = pack(playsBefore(noonMs, 20), [])
  const cut = fc.nat(good.length - 1).map((length) => good.slice(0, length))
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
  const text = fc.oneof(
    cut,
    fc.string({ unit: 'binary', maxLength: 1200 }),
    bytes.map((some) => some.toString('base64url')),
    bytes.map((some) => Buffer.concat([Buffer.of(1), some]).toString('base64url')),
    bytes.map((some) => `AQ${some.toString('base64')}`),
  )
  const property = fc.property(text, (text) => {
    try {
      const plays = unpack(text)
      // What passes is a list of plays, newest first, that can be packed again.
      if (!plays.every(({ atMs }) => Number.isSafeInteger(atMs) && atMs >= 0)) throw new Error(text)
      same(unpack(pack(plays, [])), sorted(plays))
    } catch (error) {
      if ((error as { code?: string }).code !== 'invalid-offset') throw error
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})

t.test('rubbish, other versions and what is cut off are refused', async (t) => {
  const good = pack(playsBefore(noonMs, 3), [])
  const bytes = Buffer.from(good, 'base64url')
  const latest = pack([{ atMs: 2 ** 48 - 1, tag: 0xffff }], [])
  t.equal(latest, 'Af__________')
  const refused = {
    'an empty text': '',
    'a word': 'rubbish',
    padding: `${good}=`,
    'a space': `${good} `,
    'another alphabet': latest.replaceAll('_', '/'),
    'another version': Buffer.concat([Buffer.of(2), bytes.subarray(1)]).toString('base64url'),
    'half of the first instant': bytes.subarray(0, 4).toString('base64url'),
    'no tag': bytes.subarray(0, 7).toString('base64url'),
    'half of a tag': bytes.subarray(0, -1).toString('base64url'),
    'a step that goes on': Buffer.concat([bytes, Buffer.of(0x80)]).toString('base64url'),
    'a step that never ends': Buffer.concat([bytes, Buffer.alloc(90, 0xff)]).toString('base64url'),
    'a step of more bytes than a number has': Buffer.concat([
      bytes,
      Buffer.alloc(160, 0x80),
      Buffer.alloc(3),
    ]).toString('base64url'),
    'a step to before 1970': Buffer.concat([
      bytes,
      Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0),
    ]).toString('base64url'),
    'a long text': Buffer.concat([bytes, Buffer.alloc(660)]).toString('base64url'),
  }
  for (const [what, text] of Object.entries(refused)) {
    t.throws(() => unpack(text), { code: 'invalid-offset', message: /recent/ }, what)
  }
  t.strictSame(unpack(good), playsBefore(noonMs, 3))
})
