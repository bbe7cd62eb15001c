import t from 'tap'
import {
  bind,
  invalidOffset,
  offsetExample,
  requireFields,
  unbind,
} from '../../src/reading/offset.ts'

const binding = { table: 'top_tracks', connection: 'default', time_range: 'long_term' }

t.test(
  'an offset names what it is bound to before its place, and gives the place back',
  async (t) => {
    const offset = bind(binding, { position: 50 })
    t.equal(
      JSON.stringify(offset),
      '{"table":"top_tracks","connection":"default","time_range":"long_term","position":50}',
    )
    t.strictSame(unbind(binding, offset), { position: 50 })
  },
)

t.test('to take the place out leaves the offset as it is', async (t) => {
  const offset = Object.freeze(bind(binding, { position: 50 }))
  unbind(binding, offset)
  t.strictSame(offset, { ...binding, position: 50 })
})

t.test('an offset of something else is invalid, and the error says of what', async (t) => {
  for (const [name, other] of Object.entries({
    table: 'top_artists',
    connection: 'other',
    time_range: 'short_term',
  })) {
    t.throws(
      () => unbind(binding, bind({ ...binding, [name]: other }, { position: 50 })),
      { code: 'invalid-offset', message: new RegExp(`its ${name} is "${other}"`) },
      name,
    )
  }
  t.throws(() => unbind(binding, bind({ ...binding, table: 7 } as never, { position: 50 })), {
    code: 'invalid-offset',
  })
})

t.test('an offset that is bound to nothing is invalid', async (t) => {
  t.throws(() => unbind(binding, { position: 50 }), {
    code: 'invalid-offset',
    message: /has no "table"/,
  })
  const { time_range: _, ...without } = binding
  t.throws(() => unbind(binding, bind(without, { position: 50 })), {
    code: 'invalid-offset',
    message: /has no "time_range"/,
  })
  const inherited = Object.create(binding, { position: { value: 50, enumerable: true } })
  t.throws(() => unbind(binding, inherited), { code: 'invalid-offset' })
})

t.test('an offset that says no place is invalid', async (t) => {
  t.throws(() => unbind(binding, { ...binding }), { code: 'invalid-offset', message: /no place/ })
})

t.test('a field that a place does not have is invalid, and named', async (t) => {
  t.doesNotThrow(() => requireFields({}, ['position']))
  t.doesNotThrow(() => requireFields({ position: 1 }, ['position']))
  t.throws(() => requireFields({ position: 1, total: 9 }, ['position']), {
    code: 'invalid-offset',
    message: /"total"/,
  })
  t.throws(() => requireFields(JSON.parse('{"__proto__":1}'), ['position']), {
    code: 'invalid-offset',
  })
})

t.test('the error names the parameter, the reason and the right form', async (t) => {
  t.match(invalidOffset('it is a word'), {
    code: 'invalid-offset',
    retryable: false,
    message: /but it is a word\./,
    members: { parameter: 'offset', example: offsetExample },
  })
  const [name, value] = [...new URLSearchParams(offsetExample)][0] ?? []
  t.equal(name, 'offset')
  t.strictSame(JSON.parse(value ?? ''), { cursor: '1795176000123' })
})
