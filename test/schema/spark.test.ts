import t from 'tap'
import { toSpark } from '../../src/schema/spark.ts'
import { array, boolean, long, string, struct } from '../../src/schema/types.ts'
import { contract } from './contract.ts'
import { records } from './records.ts'

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

t.test('the contract and the records name the same tables, in the same order', async (t) => {
  t.strictSame(Object.keys(records), Object.keys(contract))
})

for (const [name, record] of Object.entries(records)) {
  t.test(`${name} has the Spark schema that its pipelines know, to the letter`, async (t) => {
    const expected = contract[name]?.schema
    t.strictSame(toSpark(record), expected)
    t.equal(JSON.stringify(toSpark(record)), JSON.stringify(expected), 'keys in the same order')
  })
}
