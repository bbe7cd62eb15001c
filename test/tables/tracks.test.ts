import t from 'tap'
import {
  type Library,
  makeLibrary,
  makeLocalTrack,
  makeSavedTrack,
  makeTrack,
} from '../../src/simulator/library.ts'
import { build } from '../helpers/build.ts'

type Record = { added_at: string | null; track: { [field: string]: unknown } }

const addedAt = '2026-11-20T12:00:00Z'

/** Saved tracks, some of which are these. */
function libraryWith(count: number, changes: { [place: number]: Library['tracks'][number] }) {
  const library = makeLibrary({ tracks: count })
  for (const [place, item] of Object.entries(changes)) library.tracks[Number(place)] = item
  return library
}

const nameless = (nth: number) =>
  makeSavedTrack(addedAt, makeTrack(nth, { id: null, uri: 'spotify:track:null' }))

t.test('local files are rows under their uris, items without a key are skipped', async (t) => {
  const locals = [makeLocalTrack(5), makeLocalTrack(6)]
  const library = libraryWith(237, {
    5: makeSavedTrack(addedAt, locals[0] ?? null),
    6: makeSavedTrack(addedAt, locals[1] ?? null),
    7: makeSavedTrack(addedAt, null),
    8: nameless(8),
    9: nameless(9),
  })
  const { get, log } = await build(t, { simulator: { library } })
  const { status, body } = await get('/tables/tracks/read')
  t.equal(status, 200)
  t.match(body, { offset: null, has_more: false, skipped: 3 })
  const ids = body.records.map(({ track }: Record) => track.id)
  t.equal(ids.length, 234)
  t.equal(new Set(ids).size, 234)
  t.ok(ids.every((id: unknown) => typeof id === 'string' && id !== ''))
  for (const [at, { uri, name }] of locals.entries()) {
    t.match(body.records[5 + at].track, { id: uri, uri, name, is_local: true, href: null })
    t.strictSame(body.records[5 + at].track.external_urls, null)
  }
  const warnings = log.filter(({ level }) => level === 40)
  t.equal(warnings.length, 1)
  t.match(warnings[0], { table: 'tracks', skipped: 3 })
})

t.test('items without a key at the edges of pages cost no row', async (t) => {
  const library = libraryWith(150, {
    0: null,
    49: makeSavedTrack(addedAt, null),
    50: null,
    99: nameless(99),
    149: null,
  })
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get('/tables/tracks/read')
  t.equal(body.records.length, 145)
  t.match(body, { skipped: 5, has_more: false, offset: null })
})

/** Saved tracks, 120, with so many items in a row from place 50 on that have no key. */
function libraryWithRun(count: number) {
  return libraryWith(
    120,
    Object.fromEntries(Array.from({ length: count }, (_, at) => [50 + at, null])),
  )
}

t.test('a run of items without a key is passed, up to what a page shows of it', async (t) => {
  const { get } = await build(t, { simulator: { library: libraryWithRun(48) } })
  const { body } = await get('/tables/tracks/read')
  t.equal(body.records.length, 72)
  t.match(body, { skipped: 48, has_more: false, offset: null })
  const page = (await get('/tables/tracks/read?max_pages=2')).body
  t.match(page, { has_more: true, offset: { position: 98 } })
  t.equal(page.skipped, 48)
})

t.test('behind a longer run nothing can be told: what was read is kept', async (t) => {
  const { get } = await build(t, { simulator: { library: libraryWithRun(50) } })
  const { status, body } = await get('/tables/tracks/read')
  t.equal(status, 200)
  t.equal(body.records.length, 49)
  t.match(body, { has_more: true, interrupted: { code: 'upstream-error', retryable: true } })
})

t.test('a library of nothing but items without a key is read whole, without rows', async (t) => {
  const { get } = await build(t, { simulator: { library: libraryWith(3, [null, null, null]) } })
  const { body } = await get('/tables/tracks/read')
  t.strictSame(body, { records: [], offset: null, has_more: false, skipped: 3 })
})

t.test('an odd album loses no track, and nothing in it is made up', async (t) => {
  const nobody = { href: null, id: null, uri: null, external_urls: {} }
  const album = {
    ...makeTrack(0).album,
    ...nobody,
    album_type: null,
    artists: [{ ...nobody, name: '', type: 'artist' }],
    images: [],
    name: '',
    release_date: null,
    release_date_precision: null,
  }
  const unknownYear = {
    ...makeTrack(1).album,
    release_date: '0000',
    release_date_precision: 'year',
  }
  const longUri = `spotify:local:${'%5B%E2%96%A0+'.repeat(30)}:::213`
  const library = libraryWith(3, {
    0: makeSavedTrack(addedAt, makeTrack(0, { album })),
    1: makeSavedTrack(addedAt, makeTrack(1, { album: unknownYear })),
    2: makeSavedTrack(addedAt, { ...makeLocalTrack(2), uri: longUri }),
  })
  const { get } = await build(t, { simulator: { library } })
  const { records } = (await get('/tables/tracks/read')).body
  t.equal(records.length, 3)
  t.strictSame(records[0].track.album, {
    id: null,
    name: '',
    uri: null,
    href: null,
    album_type: null,
    total_tracks: album.total_tracks,
    release_date: null,
    release_date_precision: null,
    images: [],
    artists: [{ id: null, name: '', uri: null, href: null, external_urls: null }],
    external_urls: null,
  })
  t.match(records[1].track.album, { release_date: '0000', release_date_precision: 'year' })
  t.match(records[2].track, { id: longUri, uri: longUri })
  t.ok(longUri.length > 400)
})

t.test('half an emoji becomes U+FFFD, in names and in ids; all else stays', async (t) => {
  const names = ['Song \ud83d', 'Song \u{1f600}', 'שיר \u200f\u202eabc\u200d', 'a\u2028b\u0000c']
  const library = libraryWith(
    5,
    Object.fromEntries([
      ...names.map((name, at) => [at, makeSavedTrack(addedAt, makeTrack(at, { name }))]),
      [4, makeSavedTrack(addedAt, { ...makeLocalTrack(4), uri: 'spotify:local:a:b:\udc00:1' })],
    ]),
  )
  const { get } = await build(t, { simulator: { library } })
  const { text, body } = await get('/tables/tracks/read')
  t.strictSame(
    body.records.slice(0, 4).map(({ track }: Record) => track.name),
    ['Song \ufffd', ...names.slice(1)],
  )
  t.match(body.records[4].track, {
    id: 'spotify:local:a:b:\ufffd:1',
    uri: 'spotify:local:a:b:\ufffd:1',
  })
  t.notMatch(text, /\\ud[89a-f]/i)
})

t.test('a track that is saved without a date is a row all the same', async (t) => {
  const library = makeLibrary({ tracks: 2 })
  const { get, simulator } = await build(t, { simulator: { library } })
  simulator.faults.add({
    on: '/me/tracks',
    fault: {
      kind: 'edit',
      edit: ({ items }) => {
        const second = items?.[1] as { added_at?: string }
        delete second.added_at
      },
    },
  })
  const { records } = (await get('/tables/tracks/read')).body
  t.strictSame(
    records.map(({ added_at }: Record) => added_at),
    [library.tracks[0]?.added_at, null],
  )
})
