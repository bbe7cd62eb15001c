import { getEventListeners } from 'node:events'
import t from 'tap'
import { abortable } from '../../src/spotify/abortable.ts'
import { settle } from '../helpers/fake-clock.ts'

const reason = new Error('the reader went away')

t.test('without an abort it is the promise', async (t) => {
  const { signal } = new AbortController()
  t.equal(await abortable(Promise.resolve(7), signal), 7)
  const failure = new Error('no')
  await t.rejects(abortable(Promise.reject(failure), signal), failure)
})

t.test('an abort rejects at once, and leaves the promise to the others', async (t) => {
  const shared = Promise.withResolvers<number>()
  const controller = new AbortController()
  const mine = abortable(shared.promise, controller.signal)
  const theirs = abortable(shared.promise, new AbortController().signal)
  controller.abort(reason)
  await t.rejects(mine, reason)
  shared.resolve(7)
  t.equal(await theirs, 7)
})

t.test('a signal that is aborted already rejects at once', async (t) => {
  await t.rejects(abortable(new Promise(() => {}), AbortSignal.abort(reason)), reason)
})

t.test('a failure after the abort is nobody else to handle', async (t) => {
  const unhandled: unknown[] = []
  const listen = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', listen)
  t.teardown(() => process.off('unhandledRejection', listen))
  const shared = Promise.withResolvers<number>()
  const controller = new AbortController()
  const mine = abortable(shared.promise, controller.signal)
  controller.abort(reason)
  await t.rejects(mine, reason)
  shared.reject(new Error('too late'))
  await settle()
  await settle()
  t.same(unhandled, [])
})

t.test('the signal is let go of', async (t) => {
  const { signal } = new AbortController()
  await abortable(Promise.resolve(), signal)
  await settle()
  t.same(getEventListeners(signal, 'abort'), [])
})
