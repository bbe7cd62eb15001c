import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

// Breaks the reading of lists, one line at a time and in a copy, and shows that the tests notice.
// Exit code 0: every mutant turned a test red; 1: one survived, or its line was not found.

/** One line of src/reading that is broken: `text`, which is there once, becomes `broken`. */
type Mutant = { what: string; file: string; text: string; broken: string }

const timeoutMs = 60_000

/** Which tests hold on to a file, the quickest first. */
const testsOf: Record<string, string[]> = {
  'walk.ts': ['walk', 'list', 'sweeps', 'second-look', 'walk-random', 'walk-exhaustive'],
  'place.ts': ['place', 'walk'],
  'list.ts': ['list'],
  'walk-pages.ts': ['walk-pages'],
  'digest.ts': ['digest'],
  'sweeps.ts': ['sweeps', 'sweeps-random', 'sweeps-exhaustive'],
  'second-look.ts': ['second-look', 'second-look-random'],
  'collect.ts': ['collect'],
}

const mutants: Mutant[] = [
  ...inFile('walk.ts', [
    [
      'the seam is not compared',
      'const first = this.#seam === null ? 0 : known.findIndex((item) => item)',
      'const first = 0',
    ],
    [
      'a seam that was found again counts as one that held',
      '(first === 0 && known[0] === lastBefore)',
      'true',
    ],
    [
      'pages do not overlap',
      'const next = before ? before.position + before.size - 1 : position',
      'const next = before ? before.position + before.size : position',
    ],
    [
      'pages are planned by what was asked for, not by what came',
      'this.#size = items.length',
      'return',
    ],
    [
      'an empty page is the end',
      'if (page.items.length === 0 || first === -1) return this.#lost(request, page)',
      "if (page.items.length === 0) this.#end = 'whole'\n if (page.items.length === 0 || first === -1) return this.#lost(request, page)",
    ],
    ['one empty page proves an empty list', 'this.#empties > 1 &&', 'this.#empties > 0 &&'],
    ['a key is given again', 'if (isGiven || (index', 'if ((index'],
    [
      'the last item is not held back',
      'if (isGiven || (index === last && !isEnd)) continue',
      'if (isGiven) continue',
    ],
    ['the last item of the list is held back', '(index === last && !isEnd)', '(index === last)'],
    [
      'an item without a key is a seam',
      'const lastKeyed = ids.findLastIndex((id) => id !== null)',
      'const lastKeyed = ids.length - 1',
    ],
    ['keyless items are counted again', 'known.findLastIndex((item) => item)', '-1'],
    [
      'a page that next denies is the end, whatever the total',
      'if (!page.hasNext && reachesTotal) return true',
      'if (!page.hasNext) return true',
    ],
    [
      'a page that reaches the total is the end, whatever next',
      'if (!page.hasNext && reachesTotal) return true',
      'if (reachesTotal) return true',
    ],
    ['a page that was searched for proves the end', 'let isEnd = isExact &&', 'let isEnd ='],
    ['a seam that stands alone once is the end', '++this.#alone < 2', '++this.#alone < 1'],
    ['keyless items of a short page are the end', ' || hidesMore)', ')'],
    ['a page gives more than the limit', '!isGiven && given.length === limit', 'false'],
    [
      'known items ahead are forgotten',
      'else this.#ahead.unshift(...this.#path.splice(at + 1))',
      'else this.#path.splice(at + 1)',
    ],
    ['items ahead are not carried', 'this.#ahead.slice(0, carriedAhead).map(carry)', '[]'],
    ['a held-back item is carried as given', 'id ? this.#given.has(id.key) : isGiven', 'true'],
    ['only the seam itself is carried', 'this.#path.slice(-carriedBefore)', 'this.#path.slice(-1)'],
    [
      'another call begins again',
      'this.#hasForgotten = from !== null',
      'this.#hasForgotten = false',
    ],
    ['a walk that has forgotten begins again', 'this.#hasForgotten = true', ''],
    [
      'one call fails where nothing known is left',
      'this.#hasForgotten || ++this.#restarts',
      '++this.#restarts || ++this.#restarts',
    ],
    ['the search looks at one place', 'const mostProbes = 20', 'const mostProbes = 1'],
    [
      'what was in flight before the list moved is kept',
      '    // What is in flight may have been looked at before the list moved: it would lead back again.\n    this.#planned = []\n',
      '',
    ],
    [
      'a step back is a step forward',
      'return lastBefore === undefined || !this.#ahead.includes(lastBefore)',
      'return true',
    ],
    ['more pages than allowed are planned', 'Math.min(most, left)', 'most'],
  ]),
  ...inFile('place.ts', [
    ['an offset does not say what was given', 'return isGiven ? hash', 'return true ? hash'],
    ['an offset is read as if all was given', 'isGiven: text.length === 12', 'isGiven: true'],
    ['a place may have no seam', 'value.length > 0 && ', ''],
  ]),
  ...inFile('list.ts', [
    ['a page that gave nothing counts', 'if (step.given.length + step.skipped > 0) ', ''],
    ['what is read whole has an offset', "pages.end === 'whole' ? null : ", ''],
  ]),
  ...inFile('walk-pages.ts', [
    ['a page more is in flight', 'pages.requests(concurrency)', 'pages.requests(concurrency + 1)'],
    [
      'dropped pages are not aborted',
      "abort.abort(new Error('this page is not needed any more'))",
      '',
    ],
    ['the end aborts nothing', "abort.abort(new Error('the read has ended'))", 'abort.signal'],
    ['a failure is heard of at once', 'page.catch(() => undefined)', ''],
  ]),
  ...inFile('digest.ts', [['a digest is of the last text alone', '{digest} $', '']]),
  ...inFile('sweeps.ts', [
    [
      'one sweep is enough',
      "walk.end === 'whole' && this.#isOneCall && pages <= 1",
      "walk.end === 'whole'",
    ],
    ['two sweeps need not be the same', 'if (isSame && (isClean', 'if ((isClean'],
    ['the later sweep need not be clean', 'isSame && (isClean || this.#repeats === 2)', 'isSame'],
    ['items are not counted', ' && this.given.length + this.#skipped >= (this.#total ?? 0)', ''],
    [
      'another digest than that of earlier calls is no change',
      'if (!isSame && !this.#isOneCall) throw changed()',
      '',
    ],
    ['there is no end of sweeps', 'if (this.#sweeps === mostSweeps) throw changed()', ''],
    ['an offset that is to be verified is read again', 'if (isRead) this.#sweeps = 2', ''],
  ]),
  ...inFile('second-look.ts', [
    ['the second look sees the size alone', 'JSON.stringify(keys)', 'keys.length'],
    [
      'repeats are not looked at',
      'isSame && this.#repeats.isSubsetOf(this.#repeatsBefore)',
      'isSame',
    ],
    [
      'a repeat that is gone is no change',
      'if (!this.#repeatsBefore.isSubsetOf(this.#repeats)) throw changed()',
      '',
    ],
    ['rows that are out are read anew', 'if (!this.#holdsBack || this.#starts', 'if (this.#starts'],
    ['it starts once more', 'const mostStarts = 3', 'const mostStarts = 4'],
    ['an empty second look is a change', 'const mostEmptyLooks = 2', 'const mostEmptyLooks = 1'],
    [
      'a failure throws away what was held back',
      'return this.#release()\n  }\n\n  requests',
      'return null\n  }\n\n  requests',
    ],
  ]),
  ...inFile('collect.ts', [
    ['a failure with nothing read ends well', ' && records > 0', ''],
    ['what no retry mends ends well', ' && error.retryable', ''],
  ]),
]

const survivors = run()
if (survivors > 0) process.exitCode = 1

/** Runs every mutant's tests, and gives how many were not noticed. */
function run(): number {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'))
  try {
    for (const name of ['src', 'test', 'package.json'])
      cpSync(name, join(copy, name), { recursive: true })
    symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
    for (const test of new Set(Object.values(testsOf).flat())) {
      if (!passes(copy, test)) throw new Error(`${test}.test.ts fails before anything is broken`)
    }
    const found = mutants.map((mutant) => {
      const red = breakAndTest(copy, mutant)
      say(`${red === null ? 'SURVIVED' : 'red'}\t${mutant.file}\t${mutant.what}\t${red ?? ''}`)
      return red
    })
    const count = found.filter((red) => red === null).length
    say(`${mutants.length} mutants, ${count} survived`)
    return count
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/** The first test that turns red; null when none does. Throws where the text is not there once. */
function breakAndTest(copy: string, { what, file, text, broken }: Mutant): string | null {
  const path = join(copy, 'src/reading', file)
  const source = readFileSync(path, 'utf8')
  const times = source.split(text).length - 1
  if (times !== 1) throw new Error(`${file}, "${what}": its text is there ${times} times: ${text}`)
  writeFileSync(
    path,
    source.replace(text, () => broken),
  )
  try {
    return (testsOf[file] ?? []).find((test) => !passes(copy, test)) ?? null
  } finally {
    writeFileSync(path, source)
  }
}

/** A test that does not end has noticed, too. */
function passes(copy: string, test: string): boolean {
  const file = join('test/reading', `${test}.test.ts`)
  return (
    spawnSync(process.execPath, [file], {
      cwd: copy,
      timeout: timeoutMs,
      // A busy test runner does not come to hear of a gentler one.
      killSignal: 'SIGKILL',
    }).status === 0
  )
}

function inFile(file: string, lines: [what: string, text: string, broken: string][]): Mutant[] {
  return lines.map(([what, text, broken]) => ({ what, file, text, broken }))
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
