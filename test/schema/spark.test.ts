import t from 'tap'
import { toSpark } from '../../src/schema/spark.ts'
import { array, boolean, long, string, struct } from '../../src/schema/types.ts'

t.test('every column and every element is nullable, and an integer is a long', async (t) => {
  const record = struct({ rank: long(), flags: array(boolean()), owner: struct({ id: string() }) })
  t.strictSame(toSpark(record), {
    type: 'struct',
    fields: [
      { name: 'rank', type: 'long', nullable: true, metadata: {} },
      {
        name: 'flags',
        type: { type: 'array', elementType: 'boolean', containsNull: true },
        nullable: true,
        metadata: {},
      },
      {
        name: 'owner',
        type: {
          type: 'struct',
          fields: [{ name: 'id', type: 'string', nullable: true, metadata: {} }],
        },
        nullable: true,
        metadata: {},
      },
    ],
  })
})
