import type { SimulatedRequest } from './answer.ts'

/** A JSON answer as `edit` gets it: a copy, with the fields that most edits want. */
export type EditableBody = {
  items?: unknown[]
  total?: number
  limit?: number
  offset?: number
  next?: string | null
  [field: string]: unknown
}

/**
 * A way in which an answer goes wrong. The first group takes the place of the answer, the second
 * changes a good one (200, a JSON object), the third spoils the sending of whatever answer it is.
 */
export type Fault =
  | Replacement
  /** The function changes the body or returns another one. */
  | { kind: 'edit'; edit: (body: EditableBody, request: SimulatedRequest) => unknown }
  /** The total is this number. */
  | { kind: 'total'; total: number }
  /** Pages of `size` items, whatever `limit` is; links step by as many. */
  | { kind: 'page-size'; size: number }
  /** 200 with JSON that ends in its middle, with HTML, or with nothing. */
  | { kind: 'malformed'; form?: 'broken-json' | 'html' | 'empty' }
  /** 200 with JSON that is something else; `no-items` is the good answer without its items. */
  | { kind: 'wrong-shape'; shape?: 'array' | 'null' | 'string' | 'no-items' }
  /** The well-formed page of an empty list, with the `limit` given; 50 by default. */
  | { kind: 'empty-page'; limit?: number }
  /** Nothing is sent for `ms`. */
  | { kind: 'slow-headers'; ms: number }
  /** The body comes byte by byte. */
  | { kind: 'slow-body'; msPerByte: number }
  /** Headers and half of the body, then nothing more; the socket stays open. */
  | { kind: 'stalled-body' }
  /** Half of the body, then the socket is reset. */
  | { kind: 'reset-body' }
  /** Half of what `content-length` says, then the socket is ended as if all were well. */
  | { kind: 'cut-off' }
  /** The body in gzip that nobody asked for; `broken`: its second half is none. */
  | { kind: 'gzip'; broken?: boolean }

/** The faults that take the place of the answer: the request reaches no service. */
export type Replacement =
  | {
      kind: 'status'
      status: number
      /** An object is sent as JSON, a string as plain text unless `headers` say otherwise. */
      body?: string | object | Buffer
      /** An array is as many headers of the same name. */
      headers?: Record<string, string | string[]>
    }
  | { kind: 'redirect'; location: string; status?: number }
  /** The socket is reset before the headers. */
  | { kind: 'reset' }
  /** Nothing is ever sent; the socket stays open. */
  | { kind: 'no-headers' }

/** Which requests are meant: those with this path, or those for which the function says true. */
export type On = string | ((request: SimulatedRequest) => boolean)

/** When a fault happens. */
export type Rule = {
  on: On
  /** How many matching requests pass first; every one counts that came since the rule was added. */
  skip?: number
  /** How often it happens: once by default, `Infinity` for ever. */
  times?: number
  fault: Fault
}

type Hook = { on: On; call: BeforeAnswer; calls: number }
type BeforeAnswer = (request: SimulatedRequest, nth: number) => void | Promise<void>

/**
 * The faults that are to happen. Those with a number of times take turns, one a request, in the
 * order they were added. Those for ever happen together, and besides the one whose turn it is;
 * one that takes the answer's place gives way to it.
 */
export class Faults {
  #rules: { rule: Rule; seen: number; left: number }[] = []
  #hooks: Hook[] = []

  /** Adds a fault. */
  add(rule: Rule): void {
    this.#rules.push({ rule, seen: 0, left: rule.times ?? 1 })
  }

  /**
   * Calls `call` before the answer of each matching request is made, with the count of calls from
   * 1: for lists that change between two pages. It may change the request's `query`, too.
   */
  beforeAnswer(on: On, call: BeforeAnswer): void {
    this.#hooks.push({ on, call, calls: 0 })
  }

  /** Ends all of it. */
  clear(): void {
    this.#rules = []
    this.#hooks = []
  }

  /** The faults of this request, which has just come. */
  take(request: SimulatedRequest): Fault[] {
    const matching = this.#rules.filter(({ rule }) => matches(rule.on, request))
    for (const entry of matching) entry.seen += 1
    const due = matching.filter(({ rule, seen, left }) => seen > (rule.skip ?? 0) && left > 0)
    const lasting = due.filter(({ left }) => left === Number.POSITIVE_INFINITY)
    const next = due.find(({ left }) => left !== Number.POSITIVE_INFINITY)
    if (!next) return lasting.map(({ rule }) => rule.fault)
    next.left -= 1
    const beside = lasting.map(({ rule }) => rule.fault).filter((fault) => !isReplacement(fault))
    return [next.rule.fault, ...beside]
  }

  /** Runs the hooks of this request. */
  async before(request: SimulatedRequest): Promise<void> {
    for (const hook of this.#hooks) {
      if (!matches(hook.on, request)) continue
      hook.calls += 1
      await hook.call(request, hook.calls)
    }
  }
}

/** Whether a fault takes the place of the answer. */
export function isReplacement(fault: Fault): fault is Replacement {
  return ['status', 'redirect', 'reset', 'no-headers'].includes(fault.kind)
}

function matches(on: On, request: SimulatedRequest) {
  return typeof on === 'string' ? request.path === on : on(request)
}
