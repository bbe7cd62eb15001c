import { ConnectorError } from '../../src/errors.ts'
import { type Place, type Step, Walk, type WalkOptions } from '../../src/reading/walk.ts'
import { identify, type MemoryList } from './memory-list.ts'

const mostTurns = 20_000

/** What a walk came to. */
export type Walked = {
  keys: string[]
  /** The keys that each page gave. */
  pages: string[][]
  skipped: number
  end: 'whole' | 'more' | null
  place: Place
  steps: Step[]
  /** How often its end was taken from what does not fit together. */
  oddEnds: number
  /** The code of the failure that ended it. */
  failure?: string
}

/** Walks over a list, one page after the other, at most 3 rows a page unless said otherwise. */
export function takeWalk(list: MemoryList, options: Partial<WalkOptions> = {}): Walked {
  let oddEnds = 0
  const walk = new Walk({
    identify,
    limit: 3,
    maxPages: Number.POSITIVE_INFINITY,
    largest: 50,
    from: null,
    onOddEnd: () => {
      oddEnds += 1
    },
    ...options,
  })
  const steps: Step[] = []
  const walked = (failure?: string): Walked => ({
    keys: steps.flatMap(keysOf),
    pages: steps.map(keysOf),
    skipped: steps.reduce((sum, { skipped }) => sum + skipped, 0),
    end: walk.end,
    place: walk.place,
    steps,
    oddEnds,
    ...(failure && { failure }),
  })
  try {
    for (let turn = 0; turn < mostTurns; turn++) {
      const [request] = walk.requests(1)
      if (!request) return walked()
      const step = walk.take(list.look(request))
      if (step) steps.push(step)
    }
  } catch (error) {
    if (error instanceof ConnectorError) return walked(error.code)
    throw error
  }
  throw new Error('the walk does not end')
}

function keysOf({ given }: Step): string[] {
  return given.map(({ key }) => key)
}
