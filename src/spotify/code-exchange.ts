import type { Clock } from '../clock.ts'
import { ConnectorError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Backoff } from './backoff.ts'
import { UpstreamFault } from './fault.ts'
import type { RateGate } from './rate-gate.ts'
import {
  type CodeRequest,
  judgeRefresh,
  type Refreshed,
  sendCode,
  tokenEndpoint,
} from './token-endpoint.ts'
import type { Answer, Transport } from './transport.ts'
import { WaitBudget } from './wait-budget.ts'

const attempts = 4

type Parts = {
  accountsUrl: string
  transport: Transport
  gate: RateGate
  clock: Clock
  backoff: Backoff
  waitBudgetMs: number
  log: Log
}

/** What a code was exchanged for, and when it was asked for (Unix ms). */
export type Exchanged = {
  refreshed: Refreshed & { refreshToken: string }
  sentAtMs: number
}

/**
 * Exchanges the code of a consent for tokens. A code is good once, so it is sent again only where
 * it surely did not arrive. Throws `consent-failed`, `credentials-rejected`, the gate's errors, or
 * what became of the attempt.
 */
export async function exchangeCode(parts: Parts, request: CodeRequest): Promise<Exchanged> {
  const { accountsUrl, transport, gate, clock, backoff, log } = parts
  const budget = new WaitBudget(parts.waitBudgetMs, clock)
  const { signal } = new AbortController()
  for (let failed = 0; ; ) {
    await gate.enter({ endpoint: tokenEndpoint, plays: false, bucket: false, budget, signal })
    const sentAtMs = clock.now()
    let answer: Answer
    try {
      answer = await sendCode(transport, accountsUrl, request)
    } catch (error) {
      if (!(error instanceof UpstreamFault)) throw error
      failed += 1
      const waitMs = backoff(failed)
      if (!error.isUnsent || failed === attempts || waitMs > budget.remainingMs) {
        throw lost(error)
      }
      log.warn(
        { attempt: failed, waitMs, fault: error.message },
        'a code did not arrive at Spotify',
      )
      await budget.wait(waitMs, signal, error.code)
      continue
    }
    const about = { endpoint: tokenEndpoint, scope: 'endpoint', sentAtMs } as const
    const verdict = judge(answer, clock.now())
    if ('retryAfterMs' in verdict) {
      gate.refused({ ...about, quota: false, retryAfterMs: verdict.retryAfterMs })
      continue // It was not looked at, so the code is still good.
    }
    gate.succeeded(about)
    return { refreshed: tokensOf(verdict), sentAtMs }
  }
}

function judge(answer: Answer, nowMs: number): ReturnType<typeof judgeRefresh> {
  try {
    return judgeRefresh(answer, nowMs)
  } catch (error) {
    throw error instanceof UpstreamFault ? lost(error) : error
  }
}

function tokensOf(
  verdict: Exclude<ReturnType<typeof judgeRefresh>, { retryAfterMs: unknown }>,
): Exchanged['refreshed'] {
  if ('refused' in verdict) {
    throw new ConnectorError(
      'consent-failed',
      `Spotify did not take the code of this consent (${verdict.reason}): it is good once, and for some minutes. Begin again.`,
    )
  }
  const { refreshToken } = verdict
  if (refreshToken !== null) return { ...verdict, refreshToken }
  throw new ConnectorError(
    'consent-failed',
    'Spotify gave no refresh token for this consent, so nothing was stored. Begin again.',
  )
}

function lost(fault: UpstreamFault): ConnectorError {
  return new ConnectorError(
    fault.code,
    `Spotify was asked to exchange the code of this consent, and failed: ${fault.message}. A code is good once, so this one is not sent again. Begin again.`,
    // The callback's own address never succeeds a second time.
    { retryable: false, cause: fault },
  )
}
