import type { Test } from 'tap'
import type { Clock } from '../../src/clock.ts'
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/simulator.ts'

/** A JSON answer, loosely typed: tests say what they expect in it. */
export type Body = {
  items: Record<string, unknown>[]
  next: string | null
  artists: Body
  access_token: string
  [field: string]: unknown
}

/** A clock that moves only when `nowMs` is set. */
export function stillClock(nowMs: number): Clock & { nowMs: number } {
  return {
    nowMs,
    now() {
      return this.nowMs
    },
    sleep: async () => {},
  }
}

/** A simulator that ends with the test, with ways to ask it. */
export async function start(t: Test, options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options)
  t.teardown(() => simulator.close())
  const token = (await bodyOf(refresh(simulator))).access_token
  simulator.stats.reset()

  const get = (path: string, init: RequestInit = {}) =>
    fetch(`${simulator.apiUrl}${path}`, { headers: { authorization: `Bearer ${token}` }, ...init })
  const body = (path: string) => bodyOf(get(path))
  return { simulator, token, get, body }
}

/** Asks for an access token, with a form that can be changed. */
export function refresh(
  simulator: Simulator,
  {
    form = {},
    headers = {},
  }: { form?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Response> {
  const basic = `${simulator.clientId}:${simulator.clientSecret}`
  return fetch(`${simulator.accountsUrl}/api/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}`, ...headers },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: simulator.refreshToken,
      ...form,
    }),
  })
}

/** The JSON of an answer. */
export async function bodyOf(answer: Response | Promise<Response>): Promise<Body> {
  return (await (await answer).json()) as Body
}

/** Resolves when the next request with this path has come. */
export function arrival(simulator: Simulator, path: string): Promise<void> {
  return new Promise((resolve) => {
    const on = (request: { path: string }) => {
      if (request.path === path) resolve()
      return false
    }
    simulator.faults.add({ on, fault: { kind: 'reset' } })
  })
}
