import t from 'tap'
import type { Fault } from '../../src/simulator/faults.ts'
import { allScopes } from '../../src/simulator/grants.ts'
import {
  type Forbidden,
  forbidden,
  unauthorized,
  unauthorizedWordings,
} from '../../src/simulator/spotify-errors.ts'
import { build } from '../helpers/build.ts'
import {
  askedByPlace,
  behindPage,
  endsWhole,
  isInterrupted,
  rowsAPage,
  savedTracks,
} from '../helpers/saved-tracks.ts'

const tracks = '/tables/tracks/read'
const forEver = { on: '/me/tracks', times: Number.POSITIVE_INFINITY }

for (const wording of unauthorizedWordings) {
  t.test(`a 401 "${wording}" costs one new access token, and no more while it lasts`, async (t) => {
    const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
    const { faults, stats } = simulator
    await get('/tables/user_profile/read')
    const problem = {
      code: 'upstream-error',
      status: 502,
      retryable: true,
      detail: new RegExp(`401 "${wording}"`),
    }

    for (const skip of [0, 2]) {
      stats.reset()
      faults.clear()
      faults.add({ on: '/me/tracks', skip, fault: unauthorized(wording) })
      endsWhole(t, await get(tracks), `once, at request ${skip + 1}`)
      t.equal(stats.token, 1)
      t.equal(stats.api, 5 + 1)
    }

    stats.reset()
    faults.add({ ...forEver, fault: unauthorized(wording) })
    const failed = await get(tracks)
    t.equal(failed.status, 502, 'for ever, from the start')
    t.match(failed.body, problem)
    t.equal(stats.token, 1)
    t.equal(stats.api, 1 + 4)

    stats.reset()
    faults.clear()
    faults.add({ ...forEver, on: behindPage(2), fault: unauthorized(wording) })
    const next = isInterrupted(t, await get(tracks), problem)
    t.equal(stats.token, 1)
    const asked = askedByPlace(stats)
    t.equal(asked[2 * rowsAPage], 1 + 4)
    t.ok(Math.max(...Object.values(asked)) <= 1 + 4)
    const still = await get(next)
    t.equal(still.status, 502)
    t.match(still.body, problem)
    faults.clear()
    endsWhole(t, await get(next), 'the rest, once it is over', { from: 2 * rowsAPage })
  })
}

/** What another attempt would not mend. */
const refusals: Record<string, { fault: Fault; status: number; code: string; detail: RegExp }> = {
  'a 400': {
    fault: { kind: 'status', status: 400, body: { error: { status: 400, message: 'Bad thing' } } },
    status: 502,
    code: 'upstream-error',
    detail: /400 "Bad thing"/,
  },
  'a 410 in HTML': {
    fault: { kind: 'status', status: 410, body: '<h1>Gone</h1>' },
    status: 502,
    code: 'upstream-error',
    detail: /410 "Gone"/,
  },
  'a 403 without a word': {
    fault: { kind: 'status', status: 403 },
    status: 403,
    code: 'account-not-allowed',
    detail: /403, without a reason/,
  },
  'a 403 about the scope': {
    fault: forbidden('scope'),
    status: 403,
    code: 'insufficient-scope',
    detail: /user-library-read/,
  },
  ...passedOn('removed', /"Forbidden"/),
  ...passedOn('country', /"Spotify is unavailable in this country"/),
  ...passedOn('not-registered', /"User not registered in the Developer Dashboard"/),
  ...passedOn('check-settings', /"Check settings on .*may not be registered\."/),
  ...passedOn('not-approved', /"User not approved for app"/),
  ...passedOn('premium', /"Active premium subscription required for the owner of the app/),
}

for (const [name, { fault, status, code, detail }] of Object.entries(refusals)) {
  t.test(`${name} is told at once, and never asked again`, async (t) => {
    const { get, simulator } = await build(t, { simulator: { library: savedTracks } })
    const { faults, stats } = simulator
    // At a later page too: another call would meet it as well, so nothing is kept of this one.
    for (const pages of [0, 2]) {
      stats.reset()
      faults.clear()
      faults.add({ on: behindPage(pages), times: Number.POSITIVE_INFINITY, fault })
      const answer = await get(tracks)
      t.equal(answer.status, status)
      t.match(answer.headers['content-type'], /^application\/problem\+json/)
      t.match(answer.body, { code, status, retryable: false, detail })
      const asked = askedByPlace(stats)
      t.equal(asked[pages * rowsAPage], 1)
      t.ok(Math.max(...Object.values(asked)) === 1, 'those in flight beside it neither')
    }
    t.equal(stats.token, 0)
    faults.clear()
    endsWhole(t, await get(tracks))
  })
}

// Spotify answers 200 with a part of the playlists where one of these is missing.
for (const missing of ['playlist-read-collaborative', 'playlist-read-private']) {
  t.test(`without ${missing} no playlists are read, for they would be a part`, async (t) => {
    const scopes = allScopes.filter((scope) => scope !== missing)
    const { get, simulator } = await build(t, { simulator: { scopes } })
    const { status, body } = await get('/tables/playlists/read')
    t.equal(status, 403)
    t.match(body, {
      code: 'insufficient-scope',
      retryable: false,
      detail: new RegExp(missing),
      missing_scopes: [missing],
    })
    t.notOk('records' in body)
    t.equal(simulator.stats.api, 0)

    for (const { name } of (await get('/tables')).body.tables) {
      if (name === 'playlists') continue
      const other = await get(`/tables/${name}/read`)
      t.equal(other.status, 200, `${name} is read on`)
      t.ok(other.body.records.length > 0)
    }
  })
}

t.test('a token answer that names no scopes proves nothing: all is read', async (t) => {
  const { get, simulator } = await build(t, { simulator: { scopes: null } })
  const { status, body } = await get('/tables/playlists/read')
  t.equal(status, 200)
  const items = simulator.library.playlists.filter((item) => item !== null)
  t.equal(body.records.length, items.length)
})

function passedOn(reason: Forbidden, detail: RegExp) {
  return {
    [`a 403 "${reason}"`]: {
      fault: forbidden(reason),
      status: 403,
      code: 'account-not-allowed',
      detail,
    },
  }
}
