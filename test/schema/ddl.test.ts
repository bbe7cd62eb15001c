import t from 'tap'
import { toDdl } from '../../src/schema/ddl.ts'
import { type SparkField, type SparkType, toSpark } from '../../src/schema/spark.ts'
import { array, boolean, long, string, struct } from '../../src/schema/types.ts'
import { tables } from '../../src/tables/index.ts'

t.test('columns are a Spark SQL column list, structs and arrays nested in it', async (t) => {
  const record = struct({
    added_at: string(),
    track: struct({
      id: string(),
      duration_ms: long(),
      artists: array(struct({ name: string() })),
    }),
    public: boolean(),
    genres: array(string()),
  })
  t.equal(
    toDdl(record),
    'added_at STRING, ' +
      'track STRUCT<id: STRING, duration_ms: BIGINT, artists: ARRAY<STRUCT<name: STRING>>>, ' +
      'public BOOLEAN, genres ARRAY<STRING>',
  )
})

t.test('a name that is no plain identifier is quoted, its backticks doubled', async (t) => {
  const record = struct({
    'a b': string(),
    '1st': string(),
    'ti`ck': string(),
    größe: string(),
    of: struct({ 'x:y': long(), _z1: long() }),
  })
  t.equal(
    toDdl(record),
    '`a b` STRING, `1st` STRING, `ti``ck` STRING, `größe` STRING, of STRUCT<`x:y`: BIGINT, _z1: BIGINT>',
  )
})

for (const { name, record } of tables) {
  t.test(`${name}: read back, its column list is its Spark schema`, async (t) => {
    t.strictSame(parse(toDdl(record)), toSpark(record).fields)
  })
}

/** Reads a column list of unquoted names, as the grammar of Spark SQL has it. */
function parse(ddl: string): SparkField[] {
  const tokens = ddl.match(/\w+|\S/g) ?? []
  const next = () => tokens.shift() ?? ''
  const expect = (token: string) => {
    const found = next()
    if (found !== token) throw new Error(`${token} expected, ${found} found`)
  }
  const fields = (separator: string): SparkField[] => {
    const name = next()
    if (separator !== '') expect(separator)
    const field: SparkField = { name, type: type(), nullable: true, metadata: {} }
    if (tokens[0] !== ',') return [field]
    expect(',')
    return [field, ...fields(separator)]
  }
  const type = (): SparkType => {
    const word = next()
    if (word === 'STRING') return 'string'
    if (word === 'BIGINT') return 'long'
    if (word === 'BOOLEAN') return 'boolean'
    expect('<')
    const inner: SparkType =
      word === 'ARRAY'
        ? { type: 'array', elementType: type(), containsNull: true }
        : { type: 'struct', fields: fields(':') }
    expect('>')
    return inner
  }
  const columns = fields('')
  if (tokens.length > 0) throw new Error(`left over: ${tokens.join(' ')}`)
  return columns
}
