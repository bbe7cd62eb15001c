import { ConnectorError } from '../../src/errors.ts'
import type { ListPages } from '../../src/reading/list.ts'
import type { Offset } from '../../src/reading/offset.ts'
import type { Page, PageRequest, WalkOptions } from '../../src/reading/walk.ts'
import { identify, Model, type ModelItem, type Script, type Verdict } from './model.ts'

const mostCalls = 2_000
const mostTurns = 5_000

/** How the model's list is read. */
export type Case = {
  size: number
  /** Items a page asks for: the limit is one less. */
  page: number
  inFlight: number
  /** Pages for one call; another call goes on from its offset. */
  pagesPerCall: number
  /** Pages that are asked for together are looked at in the opposite order. */
  isReversed: boolean
  /** Places of items without a key. */
  keyless?: readonly number[]
}

/** Begins a read at an offset, `{}`: from the start. */
export type Open = (options: Omit<WalkOptions, 'from'>, offset: Offset) => ListPages

/**
 * Reads a model's list to its end, over as many calls as it takes. It drives the pages as walkPages
 * does, without promises, so that millions of cases take seconds.
 */
export function drive(open: Open, config: Case, script: Script): Verdict {
  const model = new Model(config.size, script, config.keyless)
  const given: ModelItem[] = []
  const options = {
    identify,
    limit: config.page - 1,
    maxPages: config.pagesPerCall,
    largest: config.page,
  }
  let offset: Offset = {}
  try {
    for (let call = 0; call < mostCalls; call++) {
      const pages = open(options, offset)
      driveOnce(pages, model, config, given)
      if (pages.end === 'whole') return model.verdict(given, null)
      offset = pages.place()
    }
  } catch (error) {
    return model.verdict(given, error instanceof ConnectorError ? error.code : String(error))
  }
  return model.verdict(given, 'no end over many calls')
}

/** Counts of what an exploration has met: cases, and failures by code. */
export type Counts = Record<string, number>

/**
 * Runs every script of up to `most` of the changes, each before any request, and throws at the first
 * one that loses or doubles a row in silence, or fails in a way that is not fair.
 */
export function explore(
  run: (script: Script) => Verdict,
  isFair: (verdict: Verdict) => boolean,
  changes: readonly Script[number][1][],
  most: number,
  counts: Counts,
  script: Script = [],
): void {
  const verdict = run(script)
  const { lost, doubled, failure, requests } = verdict
  counts.cases = (counts.cases ?? 0) + 1
  if (failure) counts[failure] = (counts[failure] ?? 0) + 1
  if ((failure === null && lost.length + doubled.length > 0) || (failure && !isFair(verdict))) {
    throw new Error(JSON.stringify({ script, ...verdict }))
  }
  if (script.length === most) return
  const [last = 0] = script.at(-1) ?? []
  // A change behind the last request that was made changes nothing.
  for (let request = last; request < requests; request++) {
    for (const change of changes) {
      explore(run, isFair, changes, most, counts, [...script, [request, change]])
    }
  }
}

function driveOnce(
  pages: ListPages,
  model: Model,
  { inFlight, isReversed }: Case,
  given: ModelItem[],
): void {
  const flights = new Map<PageRequest, Page>()
  for (let turn = 0; turn < mostTurns; turn++) {
    const wanted = pages.requests(inFlight)
    const [next] = wanted
    if (!next) return
    for (const request of flights.keys()) if (!wanted.includes(request)) flights.delete(request)
    const fresh = wanted.filter((request) => !flights.has(request))
    for (const request of isReversed ? fresh.reverse() : fresh) {
      flights.set(request, model.look(request.position, request.size))
    }
    const step = pages.take(flights.get(next) as Page)
    flights.delete(next)
    if (step) for (const { item } of step.given) given.push(item as ModelItem)
  }
  throw new Error('no end within a call')
}
