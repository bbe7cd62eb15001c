import { openStore } from '../src/database/open.ts'

// Takes the "needs consent" mark of a connection away, so that its refresh token is tried again.
// Exit code 0: done; 1: nothing was changed, and the line says why; 2: wrong arguments.

const databaseUrl = process.env.DATABASE_URL ?? 'sqlite:.data/connector.db'
const log = { warn: (_details: object, message: string) => process.stderr.write(`${message}\n`) }

const [connection, ...others] = process.argv.slice(2)
if (!connection || connection.startsWith('-') || others.length > 0) {
  finish(2, 'Usage: npm run clear-mark -- CONNECTION (such as default), with the service stopped')
} else {
  try {
    clearMark(JSON.stringify(connection), connection)
  } catch (error) {
    finish(1, error instanceof Error ? error.message : String(error))
  }
}

function clearMark(name: string, connection: string): void {
  const store = openStore(databaseUrl, log, { create: false })
  const cleared = store.clearMarks(connection)
  store.close()
  if (cleared === 0) finish(1, `Connection ${name} has no mark: there was nothing to take away`)
  else {
    finish(
      0,
      `The mark of connection ${name} is gone. Now start the service: it will try the same ` +
        'refresh token once more',
    )
  }
}

function finish(exitCode: number, line: string): void {
  const stream = exitCode === 0 ? process.stdout : process.stderr
  stream.write(`${line}\n`)
  process.exitCode = exitCode
}
