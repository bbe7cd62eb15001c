import { readFileSync } from 'node:fs'
import t from 'tap'
import { Compile } from 'typebox/schema'
import { ask, assertProblem } from '../helpers/answer.ts'
import { build } from '../helpers/build.ts'

type Contract = Record<string, { schema: object; metadata: object }>

const contract: Contract = JSON.parse(
  readFileSync(new URL('../tables/contract.json', import.meta.url), 'utf8'),
)
const names = Object.keys(contract)
const forms = ['schema', 'schema?format=ddl', 'schema?format=json-schema', 'metadata', 'read']

t.test('the tables are listed in their order, with all that a runner plans by', async (t) => {
  const { get, simulator } = await build(t)
  const { status, headers, body } = await get('/tables')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(Object.keys(body), ['tables'])
  t.strictSame(
    body.tables.map(({ name }: { name: string }) => name),
    names,
  )
  for (const table of body.tables) {
    t.strictSame(
      Object.keys(table),
      [
        ...['name', 'description', 'ingestion_type', 'primary_keys'],
        ...['cursor_field', 'options', 'scopes'],
      ],
      table.name,
    )
    const { cursor_field, ingestion_type, primary_keys } = table
    t.strictSame(
      { primary_keys, ingestion_type, ...(cursor_field === null ? {} : { cursor_field }) },
      contract[table.name]?.metadata,
      `${table.name}: its keys, and null where there is no cursor`,
    )
  }
  const optionsOf = Object.fromEntries(
    body.tables.map(({ name, options }: { name: string; options: string[] }) => [name, options]),
  )
  const paged = ['limit', 'max_pages']
  t.strictSame(optionsOf, {
    tracks: paged,
    albums: paged,
    playlists: paged,
    artists: paged,
    top_tracks: ['time_range', ...paged],
    top_artists: ['time_range', ...paged],
    recently_played: paged,
    user_profile: ['limit'],
  })
  t.strictSame(body.tables[2].scopes.toSorted(), [
    'playlist-read-collaborative',
    'playlist-read-private',
  ])
  t.equal(simulator.stats.requests.length, 0)
})

for (const name of names) {
  t.test(`${name}: its schema is Spark's and its metadata Lakeflow's, to the letter`, async (t) => {
    const { app, simulator } = await build(t)
    for (const form of ['', '?format=spark']) {
      const answer = await ask(app, `/tables/${name}/schema${form}`)
      t.equal(answer.status, 200)
      t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
      t.equal(answer.text, JSON.stringify(contract[name]?.schema), 'fields in their order, too')
    }
    const metadata = await ask(app, `/tables/${name}/metadata`)
    t.equal(metadata.status, 200)
    t.strictSame(JSON.parse(metadata.text), contract[name]?.metadata)
    t.equal(simulator.stats.requests.length, 0)
  })

  t.test(`${name}: every row fits its JSON Schema, and has the columns of its DDL`, async (t) => {
    const { app, get } = await build(t)
    const schema = await ask(app, `/tables/${name}/schema?format=json-schema`)
    t.equal(schema.status, 200)
    t.equal(schema.headers['content-type'], 'application/schema+json; charset=utf-8')
    const document = JSON.parse(schema.text)
    t.match(document, { title: name, type: 'object', additionalProperties: false })
    const validator = Compile(document)

    const ddl = await ask(app, `/tables/${name}/schema?format=ddl`)
    t.equal(ddl.status, 200)
    t.equal(ddl.headers['content-type'], 'text/plain; charset=utf-8')

    const { records } = (await get(`/tables/${name}/read`)).body
    t.ok(records.length > 0)
    const bad = records.find((record: unknown) => !validator.Check(record))
    t.equal(bad, undefined, JSON.stringify(validator.Errors(bad)))
    t.notOk(validator.Check({ ...records[0], more: 1 }), 'it can refuse')
    t.strictSame(columnsOf(ddl.text), Object.keys(records[0]))
  })
}

t.test('the options that a table tells of are those that callers may pass', async (t) => {
  for (const [list, tracks, topTracks] of [
    ['max_pages,limit', ['limit', 'max_pages'], ['limit', 'max_pages']],
    ['time_range', [], ['time_range']],
    ['none', [], []],
  ] as const) {
    const { get } = await build(t, { env: { EXTERNAL_OPTIONS_ALLOW_LIST: list } })
    const { tables } = (await get('/tables')).body
    const optionsOf = (name: string) =>
      tables.find((table: { name: string }) => table.name === name).options
    t.strictSame(optionsOf('tracks'), tracks, list)
    t.strictSame(optionsOf('top_tracks'), topTracks, list)
  }
})

t.test('a name that is no table is refused, and the names that exist are told', async (t) => {
  const { app, simulator } = await build(t)
  const others = ['trakcs', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'Tracks', '']
  const encoded = ['%00', '%20tracks', 'tracks%0A', 'a%2Fb', '%E2%99%AB', 'x'.repeat(5000)]
  for (const name of [...others, ...encoded]) {
    for (const form of forms) {
      const url = `/tables/${name}/${form}`
      const answer = await ask(app, url)
      const problem = assertProblem(t, answer, 'table-not-found', 404)
      const given = JSON.stringify(decodeURIComponent(name).slice(0, 100)).slice(0, -1)
      t.ok(problem.detail.startsWith(`There is no table ${given}`), problem.detail)
      t.ok(problem.detail.includes(names.join(', ')), problem.detail)
      t.strictSame(problem.tables, names)
      t.equal(problem.instance, `/tables/${name}/${form.split('?')[0]}`)
      const head = await ask(app, { method: 'HEAD', url })
      t.equal(head.status, 404)
      t.equal(head.text, '')
    }
  }
  t.equal(simulator.stats.requests.length, 0)
})

/** The names of the columns in a column list: what stands before the first space of each part. */
function columnsOf(ddl: string): string[] {
  let depth = 0
  const parts = ['']
  for (const character of ddl) {
    if (character === '<') depth += 1
    if (character === '>') depth -= 1
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim().split(' ')[0]?.replaceAll('`', '') as string)
}
