import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** What a test closes over: tap's `t`. */
type Test = { teardown(fn: () => unknown): void }

/** A line of the log, read back. */
type Line = { level: number; msg: string; [fact: string]: unknown }

/** The service as a process of its own. */
export type MainProcess = {
  child: ChildProcess
  /** Its log so far. */
  lines: Line[]
  /** All that it has written so far, to both outputs. */
  written(): string
  stderr(): string
  /** The first line whose message is like this; waits for it. Throws when the process ends before. */
  line(message: RegExp): Promise<Line>
  /** Where it listens, once it does: an origin. */
  listening(): Promise<string>
  /** How it ended, once it has, and has said all. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts the service with these variables alone, in a folder; it is killed with the test. */
export function startMain(t: Test, cwd: string, env: NodeJS.ProcessEnv = {}): MainProcess {
  const child = spawn(process.execPath, [main], { cwd, env: { PORT: '0', ...env } })
  const lines: Line[] = []
  const events = new EventEmitter()
  let written = ''
  let stderr = ''
  createInterface({ input: child.stdout }).on('line', (text) => {
    written += `${text}\n`
    lines.push(JSON.parse(text))
    events.emit('line')
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    written += chunk
    stderr += chunk
  })
  let isOver = false
  const ended = once(child, 'close').then(([code, signal]) => {
    isOver = true
    events.emit('line')
    return { code, signal }
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    return ended
  })
  const line = async (message: RegExp) => {
    for (;;) {
      const found = lines.find(({ msg }) => message.test(msg))
      if (found) return found
      if (isOver) throw new Error(`it ended without a line like ${message}: ${written}`)
      await once(events, 'line')
    }
  }
  return {
    child,
    lines,
    written: () => written,
    stderr: () => stderr,
    line,
    async listening() {
      const { msg } = await line(/^listening: open /)
      return new URL(msg.slice('listening: open '.length)).origin
    },
    ended,
  }
}
