import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { openStore } from '../../src/database/open.ts'

const openerPath = fileURLToPath(new URL('opener.ts', import.meta.url))

type Step = { opened?: string | null; stored?: number; warning?: string; refused?: string }

/** A process that opens the database and tells of it step by step; see opener.ts. */
function startOpener(t: Test, url: string, count = 0) {
  const child = spawn(process.execPath, [openerPath, url, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextStep = async (): Promise<Step | null> => {
    const { value, done } = await lines.next()
    return done ? null : JSON.parse(value)
  }
  /** Ends it as a power cut would, and gives the steps that were not asked for yet. */
  const kill = async () => {
    child.kill('SIGKILL')
    await closed
    const steps: Step[] = []
    for (let step = await nextStep(); step; step = await nextStep()) steps.push(step)
    return steps
  }
  t.teardown(kill)
  return { nextStep, kill }
}

t.test('one process at a time has the database, and the next finds all of it', async (t) => {
  const url = `sqlite:${t.testdir()}/connector.db`
  const first = startOpener(t, url, 1)
  t.strictSame(await first.nextStep(), { opening: true })
  t.strictSame(await first.nextStep(), { opened: null })
  t.strictSame(await first.nextStep(), { stored: 1 })

  const second = startOpener(t, url)
  t.strictSame(await second.nextStep(), { opening: true })
  t.match(await second.nextStep(), { refused: /^ConfigError: DATABASE_URL: .* in use .*$/ })

  await first.kill()
  const third = startOpener(t, url)
  t.strictSame(await third.nextStep(), { opening: true })
  t.strictSame(await third.nextStep(), { opened: 'token-1' })
})

t.test('a predecessor that is just ending is waited for', async (t) => {
  const url = `sqlite:${t.testdir()}/connector.db`
  const first = startOpener(t, url, 1)
  while (!(await first.nextStep())?.stored);
  const second = startOpener(t, url)
  t.strictSame(await second.nextStep(), { opening: true })
  await first.kill()
  t.strictSame(await second.nextStep(), { opened: 'token-1' })
})

t.test('a token that was stored outlives a kill in the middle of the next', async (t) => {
  const url = `sqlite:${t.testdir()}/connector.db`
  for (const enough of [3, 10, 30]) {
    const rotating = startOpener(t, url, Number.POSITIVE_INFINITY)
    let step: Step | null = null
    while ((step?.stored ?? 0) < enough) step = await rotating.nextStep()
    const last = (await rotating.kill()).at(-1)?.stored ?? enough

    const after = startOpener(t, url)
    t.strictSame(await after.nextStep(), { opening: true })
    const found = (await after.nextStep())?.opened
    // The one that was being stored may be there, though nobody was told of it.
    t.ok([`token-${last}`, `token-${last + 1}`].includes(String(found)), `${found} after ${last}`)
    await after.kill()
  }
})

t.test('of processes that start at once on a damaged file one gets in', async (t) => {
  const dir = t.testdir({ 'connector.db': 'rubbish' })
  const url = `sqlite:${dir}/connector.db`
  const outcomes = await Promise.all(
    ['one', 'two', 'three'].map(async () => {
      const { nextStep } = startOpener(t, url)
      let step = await nextStep()
      while (step && step.opened === undefined && !step.refused) step = await nextStep()
      return step?.refused ? 'refused' : 'opened'
    }),
  )
  t.strictSame(outcomes.sort(), ['opened', 'refused', 'refused'])
  const names = ['connector.db', 'connector.db-journal', 'connector.db.unreadable-1']
  t.strictSame(readdirSync(dir).sort(), names)
})

t.test('the same process is refused as well when it opens the database twice', async (t) => {
  const url = `sqlite:${t.testdir()}/connector.db`
  const log = { warn: (_details: object, message: string) => t.fail(message) }
  const store = openStore(url, log)
  t.throws(() => openStore(url, log), { name: 'ConfigError', message: /in use/ })
  store.close()
  openStore(url, log).close()
})
