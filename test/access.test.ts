import t from 'tap'
import { accessTo, createKeyring } from '../src/access.ts'
import type { Connection } from '../src/spotify/connection.ts'

const connections = { all: () => ['default', 'one', 'two'].map((name) => ({ name }) as Connection) }
const namesOf = (all: { name: string }[]) => all.map(({ name }) => name)

t.test('without a bound every connection is seen', async (t) => {
  const access = accessTo(null)
  t.ok(access.isWhole)
  t.ok(access.may('nobody'))
  t.strictSame(namesOf(access.filter(connections.all())), ['default', 'one', 'two'])
  t.equal(access.get(connections, 'two').name, 'two')
  t.throws(() => access.get(connections, 'nobody'), {
    code: 'connection-not-found',
    message: /"nobody"\. The connections are: default, one, two\./,
  })
})

t.test('a bound access finds and is told of its own connections only', async (t) => {
  const access = accessTo(['two', 'three'])
  t.notOk(access.isWhole)
  t.strictSame(['one', 'two', 'three'].map(access.may), [false, true, true])
  t.strictSame(namesOf(access.filter(connections.all())), ['two'])
  t.equal(access.get(connections, 'two').name, 'two')
  for (const name of ['default', 'one', 'three', 'nobody']) {
    t.throws(() => access.get(connections, name), {
      code: 'connection-not-found',
      message: `There is no connection "${name}". The connections are: two.`,
      members: { connections: ['two'] },
    })
  }
  t.throws(() => accessTo(['three']).get(connections, 'default'), {
    message: 'There is no connection "default". There are none.',
    members: { connections: [] },
  })
})

t.test('a key is found by all of it, wherever it stands', async (t) => {
  const find = createKeyring([
    { key: 'key-one', connections: null },
    { key: 'key-two', connections: ['two'] },
    { key: 'key-three', connections: null },
  ])
  t.strictSame(
    ['key-one', 'key-two', 'key-three'].map((key) => find(key)?.place),
    [1, 2, 3],
  )
  t.strictSame(['one', 'two'].map(find('key-two')?.access.may as never), [false, true])
  for (const other of ['', 'key-on', 'key-one ', 'KEY-ONE', 'key-one,key-two', 'key-two@two']) {
    t.equal(find(other), null, other)
  }
  t.equal(createKeyring([])(''), null)
})
