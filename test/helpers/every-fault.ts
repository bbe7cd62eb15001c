import type { Fault } from '../../src/simulator/faults.ts'
import { notFound, serverError } from '../../src/simulator/spotify-errors.ts'
import type { Timeouts } from '../../src/spotify/transport.ts'

/** A fault, what it comes to when it lasts, and how a problem's detail names it. */
export type FaultCase =
  | { fault: Fault; comesTo: 'upstream-error' | 'upstream-timeout'; named: RegExp }
  | { fault: Fault; comesTo: 'the whole table' }

type Cases = Record<string, FaultCase>

/** Longer than `timeoutsFor` allows. */
const tooSlowMs = 2_000

/**
 * Every fault that another attempt mends, or that is none for a reader, by its kind. Not here are
 * `edit`, which is any change, the empty page, which may be true, and the statuses that have a
 * meaning of their own (400, 401, 403, 429). `elsewhere` is an address on another host.
 */
export function everyFault(elsewhere: string) {
  return {
    status: {
      ...serverErrors(),
      'a 404 for an endpoint that exists': error(notFound(), /404 "Resource not found"/),
      'a 408': error({ kind: 'status', status: 408 }, /\b408\b/),
      'a 204 without a body': error({ kind: 'status', status: 204 }, /\b204\b/),
    },
    redirect: {
      'a redirect to another host': error({ kind: 'redirect', location: elsewhere }, /\b302\b/),
    },
    reset: { 'a reset': error({ kind: 'reset' }, /connection failed/) },
    'reset-body': {
      'a reset in the middle of the body': error({ kind: 'reset-body' }, /connection failed/),
    },
    'cut-off': { 'a body that is cut off': error({ kind: 'cut-off' }, /connection failed/) },
    malformed: {
      'half of the JSON': error({ kind: 'malformed' }, /200 .*not JSON/),
      'HTML in place of JSON': error({ kind: 'malformed', form: 'html' }, /200 .*not JSON/),
      'nothing in place of JSON': error({ kind: 'malformed', form: 'empty' }, /200 .*not JSON/),
    },
    'wrong-shape': {
      'an array': error({ kind: 'wrong-shape', shape: 'array' }, /\b200 /),
      'a null': error({ kind: 'wrong-shape', shape: 'null' }, /\b200 /),
      'a string': error({ kind: 'wrong-shape', shape: 'string' }, /\b200 /),
      'a page without items': error({ kind: 'wrong-shape', shape: 'no-items' }, /\b200 .*items/),
    },
    gzip: {
      'gzip that nobody asked for': harmless({ kind: 'gzip' }),
      'gzip that is broken': error({ kind: 'gzip', broken: true }, /gzip/),
    },
    total: {
      'a total that is too high': harmless({ kind: 'total', total: 1_000 }),
      'a total that is too low': harmless({ kind: 'total', total: 60 }),
      'a total of 0': harmless({ kind: 'total', total: 0 }),
      'a total that is no count': error({ kind: 'total', total: -1 }, /\b200 .*total/),
    },
    'page-size': { 'shorter pages': harmless({ kind: 'page-size', size: 20 }) },
    'no-headers': { 'no answer': timeout({ kind: 'no-headers' }) },
    'slow-headers': {
      'headers that are too slow': timeout({ kind: 'slow-headers', ms: tooSlowMs }),
    },
    'stalled-body': { 'a body that stands still': timeout({ kind: 'stalled-body' }) },
    'slow-body': { 'a body that drips': timeout({ kind: 'slow-body', msPerByte: 20 }) },
  } satisfies Record<Exclude<Fault['kind'], 'edit' | 'empty-page'>, Cases>
}

/** The cases by name. */
export function namedFaults(elsewhere: string): [name: string, FaultCase][] {
  return Object.values(everyFault(elsewhere)).flatMap((cases: Cases) => Object.entries(cases))
}

/** Whether a fault is none in a token answer. */
export function isOfPagesAlone({ fault }: FaultCase): boolean {
  if (fault.kind === 'wrong-shape') return fault.shape === 'no-items'
  return fault.kind === 'total' || fault.kind === 'page-size'
}

/** Short limits for faults that run into them; for others such as a busy machine keeps, too. */
export function timeoutsFor(comesTo: FaultCase['comesTo'], shortMs = 400): Timeouts {
  const limitMs = comesTo === 'upstream-timeout' ? shortMs : 10_000
  return { connectMs: limitMs, headersMs: limitMs, idleMs: limitMs, totalMs: limitMs }
}

function serverErrors(): Cases {
  const cases: Cases = {}
  for (const status of [500, 502, 503, 504]) {
    for (const form of ['json', 'html', 'text'] as const) {
      const named = new RegExp(`\\b${status} "[^<]+"`)
      cases[`a ${status} in ${form}`] = error(serverError(status, form), named)
    }
  }
  return cases
}

function error(fault: Fault, named: RegExp): FaultCase {
  return { fault, comesTo: 'upstream-error', named }
}

function timeout(fault: Fault): FaultCase {
  return { fault, comesTo: 'upstream-timeout', named: /no (whole )?answer within/ }
}

function harmless(fault: Fault): FaultCase {
  return { fault, comesTo: 'the whole table' }
}
