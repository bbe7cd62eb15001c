import { ConnectorError } from '../errors.ts'

/** The failure of a read that can only begin again. `what` says what has happened to the list. */
export function snapshotChanged(what: string): ConnectorError {
  return new ConnectorError(
    'snapshot-changed',
    `${what} Begin again without an offset, and drop what was read so far.`,
    { members: { restart: true } },
  )
}
