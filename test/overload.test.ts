import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Answer, assertProblem } from './helpers/answer.ts'
import { build } from './helpers/build.ts'
import { hold, holdTogether, patient, until } from './helpers/hold.ts'
import { exchange, receive } from './helpers/raw.ts'

const profile = '/tables/user_profile/read'
const bytes = (path: string, method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`

/** A service for two reads at a time, over sockets. */
async function start(t: Test) {
  const built = await build(t, { timeouts: patient, env: { MAX_CONCURRENT_READS: '2' } })
  const port = await built.listen()
  return {
    ...built,
    ask: async (path: string) => (await exchange(port, bytes(path)))[0] as Answer,
    head: async (path: string) =>
      (await exchange(port, bytes(path, 'HEAD'), { head: true }))[0] as Answer,
    open(path: string): Socket {
      const socket = connect(port, '127.0.0.1')
      t.teardown(() => socket.destroy())
      socket.write(bytes(path))
      return socket
    },
  }
}

t.test('reads beyond the limit are refused at once, and the others go on', async (t) => {
  const { simulator, ask, head, open } = await start(t)
  const held = holdTogether(simulator, '/me', { count: 2 })
  const first = [open(profile), open(`${profile}?format=ndjson`)]
  await held.arrived
  for (const path of [profile, '/tables/tracks/read?format=ndjson']) {
    const answer = await ask(path)
    const problem = assertProblem(t, answer, 'overloaded')
    t.match(problem.detail, /MAX_CONCURRENT_READS is 2/)
    t.equal(answer.headers['retry-after'], String(problem.retry_after_s))
  }
  assertProblem(t, await ask('/readyz'), 'overloaded')
  for (const path of ['/livez', '/health', '/tables']) t.equal((await ask(path)).status, 200, path)
  t.equal((await head(profile)).status, 200, 'HEAD is no read')
  t.equal((await ask(`${profile}?limit=0`)).status, 400, 'what is wrong is wrong at any time')
  t.equal(simulator.stats.api, 2)
  held.release()
  for (const socket of first) t.equal((await receive(socket, 1))[0]?.status, 200)
  t.equal((await ask('/readyz')).status, 200)
  t.equal((await ask(profile)).status, 200)
})

for (const format of ['json', 'ndjson']) {
  t.test(`${format}: every way in which a read ends frees its place, once`, async (t) => {
    const { simulator, ask, open } = await start(t)
    const one = hold(simulator, '/me')
    open(profile)
    await one.arrived
    const path = `${profile}?format=${format}`
    for (let round = 0; round < 3; round++) {
      t.equal((await ask(path)).status, 200)
      simulator.faults.add({
        on: '/me',
        times: 4,
        fault: { kind: 'status', status: 500, body: '', headers: {} },
      })
      t.equal((await ask(path)).status, 502, 'a problem')
      const held = hold(simulator, '/me')
      const reader = open(path)
      await held.arrived
      t.equal((await ask(path)).status, 503)
      reader.destroy()
      await until(() => reader.closed)
      let status = 503
      while (status === 503) status = (await ask('/readyz')).status
      t.equal(status, 200, 'a reader that went away')
      held.release()
    }
    const held = hold(simulator, '/me')
    open(path)
    await held.arrived
    t.equal((await ask(path)).status, 503, 'and the limit is as it was')
    held.release()
    one.release()
  })
}

t.test('an event loop that does not keep up refuses reads, and only them', async (t) => {
  const { listen, log } = await build(t, { pressure: { maxDelayMs: 300, sampleMs: 1_000 } })
  const port = await listen()
  const ask = async (path: string) => (await exchange(port, bytes(path)))[0] as Answer
  t.equal((await ask(profile)).status, 200)
  for (let turn = 0; turn < 4; turn++) {
    const untilMs = performance.now() + 600
    while (performance.now() < untilMs);
    await delay(0)
  }
  // What was found out holds until the next look, a second later.
  let ready = await ask('/readyz')
  t.match(assertProblem(t, ready, 'overloaded').detail, /event loop is late by more than 300 ms/)
  assertProblem(t, await ask(profile), 'overloaded')
  t.equal((await ask('/livez')).status, 200)
  t.equal((await ask('/tables')).status, 200)
  while (ready.status === 503) ready = await ask('/readyz')
  t.equal((await ask(profile)).status, 200)
  t.notOk(log.some(({ level }) => Number(level) >= 50))
})

t.test('one long turn of the event loop is no overload', async (t) => {
  const { listen } = await build(t, { pressure: { maxDelayMs: 500, sampleMs: 1_000 } })
  const port = await listen()
  const ask = async (path: string) => (await exchange(port, bytes(path)))[0] as Answer
  await delay(50)
  const fromMs = performance.now()
  while (performance.now() < fromMs + 800);
  while (performance.now() < fromMs + 2_000) {
    t.equal((await ask('/readyz')).status, 200)
    await delay(50)
  }
})
