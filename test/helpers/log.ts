import type { Log } from '../../src/log.ts'

type Level = keyof Log

/** A log that remembers its lines. */
export type MemoryLog = Log & {
  lines: { level: Level; facts: Record<string, unknown>; message: string }[]
  /** The messages of one level. */
  of(level: Level): string[]
}

/** Makes a log for a test to read. */
export function memoryLog(): MemoryLog {
  const lines: MemoryLog['lines'] = []
  const writer =
    (level: Level) =>
    (facts: unknown, message = '') =>
      lines.push({ level, facts: Object(facts), message })
  return {
    lines,
    of: (level) => lines.filter((line) => line.level === level).map(({ message }) => message),
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
  }
}
