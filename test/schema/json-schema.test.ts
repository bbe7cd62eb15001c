import t from 'tap'
import { Compile } from 'typebox/schema'
import { toJsonSchema } from '../../src/schema/json-schema.ts'
import { compileProjector } from '../../src/schema/project.ts'
import { array, long, string, struct } from '../../src/schema/types.ts'
import { tables } from '../../src/tables/index.ts'

const about = { title: 'playlists', description: 'Playlists, own and followed.' }

t.test('a record has a whole JSON Schema document', async (t) => {
  const record = struct({ id: string(), tracks: struct({ total: long() }) })
  t.strictSame(JSON.parse(JSON.stringify(toJsonSchema(record, about))), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'playlists',
    description: 'Playlists, own and followed.',
    type: 'object',
    properties: {
      id: { type: ['string', 'null'] },
      tracks: {
        type: ['object', 'null'],
        properties: { total: { type: ['integer', 'null'], format: 'int64' } },
        required: ['total'],
        additionalProperties: false,
      },
    },
    required: ['id', 'tracks'],
    additionalProperties: false,
  })
})

t.test('a validator takes what fits and refuses what does not', async (t) => {
  const record = struct({ id: string(), ranks: array(long()), owner: struct({ id: string() }) })
  const validator = Compile(toJsonSchema(record, about))
  const good = { id: 'a', ranks: [1, null], owner: { id: null } }
  t.ok(validator.Check(good))
  t.ok(validator.Check({ id: null, ranks: null, owner: null }))
  t.notOk(validator.Check({ ...good, id: 7 }), 'another type')
  t.notOk(validator.Check({ ...good, ranks: [1.5] }), 'not integral')
  t.notOk(validator.Check({ id: 'a', ranks: [] }), 'a missing column')
  t.notOk(validator.Check({ ...good, more: 1 }), 'a further column')
  t.notOk(validator.Check({ ...good, owner: { id: 'a', more: 1 } }), 'a further column, nested')
  t.notOk(validator.Check({ ...good, owner: {} }), 'an empty struct')
})

for (const { name, record } of tables) {
  t.test(`${name}: a record of nulls fits its own JSON Schema`, async (t) => {
    const validator = Compile(toJsonSchema(record, about))
    t.ok(validator.Check(compileProjector(record)({}, { mistyped: 0 })))
    t.notOk(validator.Check({}))
  })
}
