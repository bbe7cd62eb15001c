import { existsSync } from 'node:fs'
import t from 'tap'
import packageJson from '../package.json' with { type: 'json' }
import { knownVariables } from '../src/config.ts'
import { failures } from '../src/errors.ts'
import { kinds } from '../src/problems.ts'
import { build } from './helpers/build.ts'
import { fileText } from './helpers/deploy-file.ts'

const readme = fileText('README.md')
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(
  (page) => [page, fileText(page)] as const,
)

/** Of Node's own and of every program's: config.ts need not know them. */
const foreignVariables = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS']
/** Where people go with a browser, and where Spotify sends it then. */
const forBrowsers = ['GET /connections/{name}/authorize', 'GET /callback']

/** What stands under a heading of the README, with what is below it. */
function section(heading: string): string {
  const [, text] = readme.split(new RegExp(`^## ${heading}$`, 'm'))
  if (text === undefined) throw new Error(`the README has no "${heading}"`)
  return text.split(/^## /m)[0] as string
}

/** The rows of the first table in a text, as their cells, without its head. */
function rowsOf(text: string): string[][] {
  const [table = ''] = /(?:^\|.*\n)+/m.exec(text) ?? []
  const rows = table.trim().split('\n').slice(2)
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}

/** What leads to a heading, as GitHub makes it. */
function anchorOf(heading = ''): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}

/** What stands in backticks. */
function codeIn(text = ''): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => String(code))
}

t.test('every problem code has one entry of its own, and every entry is of a code', async (t) => {
  const rows = rowsOf(section('Troubleshooting'))
  t.same(
    rows.map(([code]) => code),
    Object.keys(failures).map((code) => `\`${code}\``),
  )
  for (const [code = '', statuses = '', meaning = '', remedy = ''] of rows) {
    const kind = kinds[codeIn(code)[0] as keyof typeof kinds]
    t.ok(statuses.split(', ').includes(String(kind?.status)), `${code}: ${statuses}`)
    t.ok(meaning.length > 10 && remedy.length > 3, code)
  }
})

t.test('the table of variables has each one that the service uses, and no other', async (t) => {
  const used = [...knownVariables.keys()]
  const named = rowsOf(section('Configuration')).flatMap(([names]) => codeIn(names))
  t.same(new Set(named).size, named.length, 'each of them once')
  const own = named.filter((name) => !foreignVariables.includes(name))
  t.same(own.sort(), used.sort())
})

t.test('every route of the OpenAPI document has a line for curl', async (t) => {
  const { get } = await build(t)
  const { body } = await get('/openapi.json')
  const lines = codeIn(section('Endpoints')).filter((code) => code.startsWith('curl '))
  for (const [path, methods] of Object.entries<object>(body.paths)) {
    const pattern = new RegExp(
      `127\\.0\\.0\\.1:8080${path.replaceAll(/\{\w+\}/g, '[^/?]+')}(?=$|[?'])`,
    )
    for (const method of Object.keys(methods).map((name) => name.toUpperCase())) {
      // HEAD is GET's, and GET is what curl does unless it is told.
      if (method === 'HEAD' || forBrowsers.includes(`${method} ${path}`)) continue
      const told = (line: string) => /-X (\w+)/.exec(line)?.[1] ?? 'GET'
      const line = lines.find((one) => pattern.test(one) && told(one) === method)
      t.ok(line, `${method} ${path}`)
    }
  }
})

t.test('what the pages lead to is there', async (t) => {
  for (const [page, text] of pages) {
    const headings = Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading]) => anchorOf(heading))
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const isThere = target.startsWith('#')
        ? headings.includes(target.slice(1))
        : existsSync(new URL(`../${target}`, import.meta.url))
      t.ok(isThere, `${page}: ${target}`)
    }
  }
})

t.test('the npm scripts and the files that the pages name are there', async (t) => {
  for (const [page, text] of pages) {
    for (const [, name = ''] of text.matchAll(/\bnpm (?:run )?((?<=run )[\w:-]+|start|test)\b/g)) {
      t.ok(name in packageJson.scripts, `${page}: npm run ${name}`)
    }
    for (const [path] of text.matchAll(/\b(?:deploy|scripts|src|test)\/[\w/-]+(?:\.\w+)+\b/g)) {
      // CONTRIBUTING.md shows by it how tests are named.
      if (path.includes('/a/b.')) continue
      t.ok(existsSync(new URL(`../${path}`, import.meta.url)), `${page}: ${path}`)
    }
  }
})
