import t from 'tap'
import { makeLibrary, makeUser } from '../../src/simulator/library.ts'
import { allScopes } from '../../src/spotify/scopes.ts'
import { build } from '../helpers/build.ts'

const url = '/tables/user_profile/read'

t.test('the profile is one row, whole at once, with account_id at its end', async (t) => {
  const library = makeLibrary({ mode: 'extended' })
  const { get } = await build(t, { simulator: { library } })
  const { body } = await get(url)
  t.match(body, { offset: null, has_more: false })
  t.equal(body.records.length, 1)
  t.equal(Object.keys(body.records[0]).at(-1), 'account_id')
  const { type: _, ...me } = library.me
  t.same(body.records[0], me)
})

t.test('in development mode account_id is there, and what is not sent is null', async (t) => {
  const { get, simulator } = await build(t)
  const [record] = (await get(url)).body.records
  t.equal(record.account_id, simulator.library.me.account_id)
  t.match(record, {
    country: null,
    email: null,
    explicit_content: null,
    followers: null,
    product: null,
  })
})

t.test('an account that has no account_id yet is a row', async (t) => {
  const { get, simulator } = await build(t)
  simulator.faults.add({
    on: '/me',
    fault: {
      kind: 'edit',
      edit: (body) => {
        delete body.account_id
      },
    },
  })
  const { records } = (await get(url)).body
  t.equal(records.length, 1)
  t.equal(records[0].account_id, null)
})

t.test('without the scope for it the email is null, and the row is whole', async (t) => {
  const { get } = await build(t, {
    simulator: {
      library: makeLibrary({ mode: 'extended' }),
      scopes: allScopes.filter((scope) => scope !== 'user-read-email'),
    },
  })
  const [record] = (await get(url)).body.records
  t.match(record, { id: makeUser().id, email: null, country: 'NL' })
})

t.test('a profile without an id is no empty table', async (t) => {
  const { get, simulator } = await build(t)
  for (const id of [undefined, null, '']) {
    simulator.faults.clear()
    simulator.faults.add({
      on: '/me',
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'edit', edit: (body) => ({ ...body, id }) },
    })
    const { status, body } = await get(url)
    t.equal(status, 502)
    t.match(body, { code: 'upstream-error', detail: /id/ })
  }
})

t.test('limit is checked and has no effect, max_pages is no option', async (t) => {
  const { get, simulator } = await build(t)
  t.equal((await get(`${url}?limit=1`)).text, (await get(url)).text)
  t.strictSame(simulator.stats.requests.at(-1)?.query, {})
  t.match((await get(`${url}?max_pages=1`)).body, {
    code: 'invalid-option',
    parameter: 'max_pages',
    allowed: ['limit'],
  })
})
