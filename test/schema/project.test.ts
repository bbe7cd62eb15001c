import fc from 'fast-check'
import t from 'tap'
import { compileProjector } from '../../src/schema/project.ts'
import { type SparkType, toSpark } from '../../src/schema/spark.ts'
import { array, boolean, type Column, long, string, struct } from '../../src/schema/types.ts'
import { tables } from '../../src/tables/index.ts'

/** What becomes of `value` in a column of this type, and how many values were counted. */
function become(column: Column, value: unknown): { value: unknown; mistyped: number } {
  const tally = { mistyped: 0 }
  const record = compileProjector(struct({ x: column }))({ x: value }, tally)
  return { value: record.x, ...tally }
}

const kept = (value: unknown) => ({ value, mistyped: 0 })
const refused = { value: null, mistyped: 1 }

t.test(
  'a record has every column in its order: what is absent is null, what is more is dropped',
  async (t) => {
    const project = compileProjector(struct({ b: string(), a: long(), c: array(string()) }))
    const item = { more: 1, a: 2, b: 'x' }
    const tally = { mistyped: 0 }
    t.equal(JSON.stringify(project(item, tally)), '{"b":"x","a":2,"c":null}')
    t.strictSame(tally, { mistyped: 0 })
    t.strictSame(item, { more: 1, a: 2, b: 'x' }, 'the item is not changed')
  },
)

t.test('null is null for every type, and not counted', async (t) => {
  for (const column of [string(), long(), boolean(), array(string()), struct({ a: string() })]) {
    t.strictSame(become(column, null), kept(null))
  }
})

t.test('an empty object is null where a struct belongs, in lists too', async (t) => {
  const urls = struct({ spotify: string() })
  t.strictSame(become(urls, {}), kept(null))
  t.strictSame(become(array(urls), [{}, { spotify: 'a' }]), kept([null, { spotify: 'a' }]))
  t.strictSame(become(struct({ urls, id: string() }), { urls: {} }), kept({ urls: null, id: null }))
})

t.test('an object that is not empty stays a struct, of nulls if need be', async (t) => {
  const urls = struct({ spotify: string() })
  t.strictSame(become(urls, { spotify: null }), kept({ spotify: null }))
  t.strictSame(become(urls, { other: 'a' }), kept({ spotify: null }))
  t.strictSame(become(struct({ urls }), { urls: {} }), kept({ urls: null }))
})

t.test('an empty list, an empty text and "0000" stay what they are', async (t) => {
  t.strictSame(become(array(string()), []), kept([]))
  t.strictSame(become(string(), ''), kept(''))
  t.strictSame(become(string(), '0000'), kept('0000'))
})

t.test('a null in a list stays in its place', async (t) => {
  t.strictSame(become(array(long()), [1, null, 3]), kept([1, null, 3]))
  t.strictSame(become(array(array(long())), [[1], null, []]), kept([[1], null, []]))
})

t.test('a long comes from an integral number or its plain decimal text', async (t) => {
  const max = Number.MAX_SAFE_INTEGER
  for (const value of [0, 42, -7, max, -max]) {
    t.strictSame(become(long(), value), kept(value))
    t.strictSame(become(long(), String(value)), kept(value))
  }
  t.strictSame(become(long(), JSON.parse('42.0')), kept(42))
})

t.test('what is no exact long is null and counted', async (t) => {
  const numbers = [42.5, 2 ** 53, -(2 ** 53), JSON.parse('9007199254740993'), JSON.parse('1e999')]
  const texts = [
    '',
    ' 42',
    '42\n',
    '4 2',
    '+42',
    '42.0',
    '1e3',
    '0x10',
    '४२',
    '-',
    '9007199254740992',
  ]
  for (const value of [...numbers, ...texts, true, [], [1], {}, { a: 1 }]) {
    t.strictSame(become(long(), value), refused, JSON.stringify(value))
  }
})

t.test('a string comes from a number or a boolean, as JSON would write it', async (t) => {
  t.strictSame(become(string(), 42), kept('42'))
  t.strictSame(become(string(), -0.5), kept('-0.5'))
  t.strictSame(become(string(), 1e-7), kept('1e-7'))
  t.strictSame(become(string(), -0), kept('0'))
  t.strictSame(become(string(), true), kept('true'))
  t.strictSame(become(string(), false), kept('false'))
})

t.test('what is no exact string is null and counted', async (t) => {
  const digitsLost = JSON.parse('12345678901234567890')
  for (const value of [digitsLost, JSON.parse('1e999'), [], ['a'], {}, { a: 'b' }]) {
    t.strictSame(become(string(), value), refused, JSON.stringify(value))
  }
})

t.test('a boolean comes from true and false in any case, and from nothing else', async (t) => {
  for (const value of [true, 'true', 'TRUE', 'True'])
    t.strictSame(become(boolean(), value), kept(true))
  for (const value of [false, 'false', 'FALSE']) t.strictSame(become(boolean(), value), kept(false))
  for (const value of [0, 1, '', '1', 'yes', 'true ', 'no', [], {}, [true]]) {
    t.strictSame(become(boolean(), value), refused, JSON.stringify(value))
  }
})

t.test(
  'a struct from a list or a scalar, and a list from anything else, are null and counted',
  async (t) => {
    for (const value of [[], [{ a: 'x' }], 'a', '', 1, false]) {
      t.strictSame(become(struct({ a: string() }), value), refused, JSON.stringify(value))
    }
    for (const value of [{}, { 0: 'a', length: 1 }, 'a', '', 1, false]) {
      t.strictSame(become(array(string()), value), refused, JSON.stringify(value))
    }
  },
)

t.test('every value that is refused is counted, wherever it lies', async (t) => {
  const record = struct({ a: long(), list: array(long()), deep: struct({ b: boolean() }) })
  const tally = { mistyped: 3 }
  compileProjector(record)({ a: 'x', list: [1, 'y', {}], deep: { b: 1 } }, tally)
  t.strictSame(tally, { mistyped: 7 })
})

t.test(
  'an item that is no object gives a record of nulls, and is counted unless null',
  async (t) => {
    const project = compileProjector(struct({ a: string() }))
    for (const [item, mistyped] of [
      [{}, 0],
      [null, 0],
      [undefined, 0],
      [[], 1],
      ['a', 1],
      [1, 1],
    ]) {
      const tally = { mistyped: 0 }
      t.strictSame(project(item, tally), { a: null })
      t.strictSame(tally, { mistyped })
    }
  },
)

t.test('half a surrogate pair becomes U+FFFD; all else in a text stays', async (t) => {
  t.strictSame(become(string(), 'Song \ud83d'), kept('Song \ufffd'))
  t.strictSame(become(string(), '\udc00x'), kept('\ufffdx'))
  t.strictSame(become(array(string()), ['\udc00\ud83d']), kept(['\ufffd\ufffd']))
  for (const text of [
    '\u{1f600}',
    '\u{1f469}\u200d\u{1f4bb}',
    'שלום \u202eabc',
    'a\u0000b\u001f\u007f',
    '\ufeffa\ufffd',
  ]) {
    t.strictSame(become(string(), text), kept(text))
  }
})

t.test('no inherited property gets into a record, whatever the item names', async (t) => {
  const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf']
  const project = compileProjector(
    struct(Object.fromEntries([...names, 'id'].map((n) => [n, string()]))),
  )
  const nulls = { constructor: null, toString: null, hasOwnProperty: null, valueOf: null, id: null }
  const tally = { mistyped: 0 }
  t.strictSame(project({}, tally), nulls)
  t.strictSame(project(JSON.parse('{"__proto__":{"id":"leaked"}}'), tally), nulls)
  t.strictSame(project(Object.create({ id: 'leaked' }), tally), nulls)
  t.strictSame(tally, { mistyped: 0 })
  t.equal(project(JSON.parse('{"constructor":"mine"}'), tally).constructor, 'mine')
  t.strictSame(
    become(struct({ id: string() }), JSON.parse('{"__proto__":{"id":"leaked"}}')),
    kept({ id: null }),
  )
})

t.test('a column named __proto__ is refused when the projector is made', async (t) => {
  t.throws(() => compileProjector(struct({ ['__proto__']: string() })), { message: /__proto__/ })
  t.throws(() => compileProjector(struct({ a: array(struct({ ['__proto__']: long() })) })))
})

t.test('for any JSON value', async (t) => {
  for (const { name, record } of tables) {
    const project = compileProjector(record)
    const schema = toSpark(record)
    const check = (item: unknown) => {
      const before = JSON.stringify(item)
      const projected = project(item, { mistyped: 0 })
      if (!isOf(schema, projected)) throw new Error(`${JSON.stringify(projected)} is no ${name}`)
      if (JSON.stringify(item) !== before) throw new Error('the item was changed')
      const tally = { mistyped: 0 }
      const again = project(projected, tally)
      if (JSON.stringify(again) !== JSON.stringify(projected)) throw new Error('not idempotent')
      if (tally.mistyped !== 0) throw new Error('a projected record was refused')
    }
    t.doesNotThrow(() => fc.assert(fc.property(itemOf(schema), check), { numRuns: 60 }), name)
  }
})

// Text of any code units, halves of pairs among them; also what other types are read from.
const text = fc.oneof(
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', 'true', 'FALSE', '42', '-9007199254740991', '9007199254740993', '1e3'),
)

const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.double().map((double) => JSON.parse(JSON.stringify(double))),
    fc.constantFrom(null, true, false, 2 ** 53, Number.POSITIVE_INFINITY),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom('id', 'constructor', '__proto__')), tie('json'), {
      maxKeys: 3,
    }),
  ),
}))

/** JSON that is much like an item of this type, with faults of all kinds in it. */
function itemOf(type: SparkType): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return fc.oneof(text, fc.integer(), fc.boolean(), json)
  if (type.type === 'array') {
    const items = fc.array(itemOf(type.elementType), { maxLength: 3 })
    return fc.oneof({ weight: 4, arbitrary: items }, json)
  }
  const columns = Object.fromEntries(type.fields.map((field) => [field.name, itemOf(field.type)]))
  const object = fc.record({ ...columns, more: json }, { requiredKeys: [] })
  return fc.oneof({ weight: 4, arbitrary: object }, fc.constant({}), json)
}

/** Is the value of this type to the letter? What lies inside it may be null. */
function isOf(type: SparkType, value: unknown): boolean {
  if (type === 'string') return typeof value === 'string' && value.isWellFormed()
  if (type === 'long') return Number.isSafeInteger(value)
  if (type === 'boolean') return typeof value === 'boolean'
  if (type.type === 'array') {
    return Array.isArray(value) && value.every((e) => e === null || isOf(type.elementType, e))
  }
  const columns = Object.entries(value as object)
  return (
    columns.length === type.fields.length &&
    type.fields.every((field, i) => {
      const [name, part] = columns[i] ?? []
      return name === field.name && (part === null || isOf(field.type, part))
    })
  )
}
