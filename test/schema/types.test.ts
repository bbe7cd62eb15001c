import t from 'tap'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import { array, boolean, long, nullable, string, struct } from '../../src/schema/types.ts'

t.test('a struct is plain JSON Schema: closed, every column required and nullable', async (t) => {
  const record = struct({
    name: string(),
    plays: long(),
    public: boolean(),
    genres: array(string()),
    owner: struct({ id: string() }),
  })
  t.strictSame(JSON.parse(JSON.stringify(record)), {
    type: 'object',
    properties: {
      name: { type: ['string', 'null'] },
      plays: { type: ['integer', 'null'], format: 'int64' },
      public: { type: ['boolean', 'null'] },
      genres: { type: ['array', 'null'], items: { type: ['string', 'null'] } },
      owner: {
        type: ['object', 'null'],
        properties: { id: { type: ['string', 'null'] } },
        required: ['id'],
        additionalProperties: false,
      },
    },
    required: ['name', 'plays', 'public', 'genres', 'owner'],
    additionalProperties: false,
  })
})

t.test('the columns of one struct can be spread into another', async (t) => {
  const artist = struct({ id: string(), genres: array(string()) })
  t.strictSame(
    struct({ ...artist.properties, rank: long() }),
    struct({ id: string(), genres: array(string()), rank: long() }),
  )
})

t.test('a shape that is used in several places is not changed by it', async (t) => {
  const image = struct({ url: string() })
  struct({ cover: image, images: array(image) })
  t.equal(image.type, 'object')
})

t.test('a nullable schema keeps what it says beside its type', async (t) => {
  const day = Type.String({ description: 'A day.', format: 'date' })
  const dayOrNull = nullable(day)
  t.strictSame(JSON.parse(JSON.stringify(dayOrNull)), {
    type: ['string', 'null'],
    description: 'A day.',
    format: 'date',
  })
  t.equal(day.type, 'string', 'the schema itself is not changed')
  const values: Static<typeof dayOrNull>[] = ['2026-11-25', null]
  for (const value of values) t.ok(Check(dayOrNull, value))
  t.notOk(Check(dayOrNull, 7))
})
