import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import type { Fault } from './faults.ts'
import { bytesOf } from './spoil.ts'

/** A reset can overtake what was sent just before it: half a body gets this long to arrive. */
const arrivalMs = 20

/**
 * Sends an answer, spoilt by the faults that are about the sending. It resolves when nothing more
 * is to be sent by it; `signal` ends it earlier.
 */
export async function deliver(
  response: ServerResponse,
  answer: Answer,
  faults: Fault[],
  signal: AbortSignal,
): Promise<void> {
  const bytes = bytesOf(answer)
  const half = bytes.subarray(0, bytes.length / 2)
  response.writeHead(answer.status, { 'content-length': bytes.length, ...answer.headers })
  // Half a body may be no bytes at all: the headers go out even then.
  response.flushHeaders()

  for (const fault of faults) {
    switch (fault.kind) {
      case 'slow-body':
        for (const byte of bytes) {
          if (response.destroyed) return
          response.write(Buffer.of(byte))
          await delay(fault.msPerByte, undefined, { signal })
        }
        response.end()
        return
      case 'stalled-body':
        response.write(half)
        return
      case 'cut-off':
        response.write(half)
        response.socket?.end()
        return
      case 'reset-body':
        response.write(half)
        await delay(arrivalMs, undefined, { signal })
        response.socket?.resetAndDestroy()
        return
    }
  }
  response.end(bytes)
}
