import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { dirname } from 'node:path'
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
export function startMain(
  t: Test,
  cwd: string,
  env: NodeJS.ProcessEnv = {},
  nodeOptions: readonly string[] = [],
): MainProcess {
  const options = { cwd, env: { PORT: '0', ...env } }
  return follow(t, spawn(process.execPath, [...nodeOptions, main], options))
}

/** Starts the service as users do: `child` is npm, and the service a process below it. */
export function startByNpm(t: Test, env: NodeJS.ProcessEnv): MainProcess {
  const { PATH, HOME } = process.env
  const options = { cwd: dirname(dirname(main)), env: { PATH, HOME, PORT: '0', ...env } }
  return follow(t, spawn('npm', ['start', '--silent'], options))
}

function follow(t: Test, child: ChildProcessWithoutNullStreams): MainProcess {
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
