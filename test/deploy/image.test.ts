import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import { readDockerfile } from '../../scripts/read-dockerfile.ts'
import { fileText, objectionTo } from '../helpers/deploy-file.ts'

const repository = new URL('../../', import.meta.url)
const image = readDockerfile(fileText('Dockerfile'))
const letThrough = fileText('.dockerignore').match(/(?<=^!).+$/gm) ?? []
const scripts = letThrough.filter((path) => path.startsWith('scripts/'))

/** What a file imports, as it is written there. */
function importsOf(path: string): string[] {
  const imports = /^(?:(?:im|ex)port .*|\} )from '([^'\n]+)'|import\('([^'\n]+)'\)/gm
  return Array.from(fileText(path).matchAll(imports), ([, name, lazy]) => String(name ?? lazy))
}

/** Whether what a file imports is in the image: a copied file, or a package of production. */
function isThere(name: string, path: string): boolean {
  if (name.startsWith('node:')) return true
  if (name.startsWith('.')) {
    const target = new URL(name, new URL(path, repository)).href.slice(repository.href.length)
    return target.startsWith('src/') || target === 'package.json'
  }
  const packageName = name.startsWith('@') ? /^[^/]+\/[^/]+/ : /^[^/]+/
  return String(packageName.exec(name)) in packageJson.dependencies
}

t.test(
  'a container runs as a user with no rights, and lost secrets never serve made-up rows',
  async (t) => {
    t.equal(image.user, 10001)
    t.match(image.env, {
      DEMO: 'false',
      HOST: '0.0.0.0',
      DATABASE_URL: 'sqlite:/data/connector.db',
    })
    t.notOk('ALLOW_ANONYMOUS' in image.env)
  },
)

t.test('Node itself is started, so that signals reach it', async (t) => {
  t.same(image.command, ['node', 'src/main.ts'])
})

t.test('every variable is one that the service takes', async (t) => {
  for (const name of Object.keys(image.env)) {
    if (name !== 'NODE_ENV') t.equal(objectionTo(name), null)
  }
})

t.test('health is asked for where no access key is needed', async (t) => {
  t.match(image.healthCheck.at(-1), '/livez`')
})

t.test('the build is given what it copies, and nothing else', async (t) => {
  const given = new Set(letThrough.map((path) => path.split('/')[0]))
  given.delete('package-lock.json') // of the first stage
  t.same([...given].sort(), [...image.copied].sort())
  for (const path of image.copied) t.ok(existsSync(new URL(path, repository)), path)
})

t.test('what runs in a container imports nothing that is not there', async (t) => {
  const sources = readdirSync(fileURLToPath(new URL('src', repository)), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `src/${path}`)
  const there = scripts.filter((path) => existsSync(new URL(path, repository)))
  const all = [...sources, ...there].map((path) => ({ path, imports: importsOf(path) }))
  t.ok(all.flatMap(({ imports }) => imports).length > 300, 'imports are found')
  t.same(
    all.flatMap(({ path, imports }) =>
      imports.filter((name) => !isThere(name, path)).map((name) => `${path}: ${name}`),
    ),
    [],
  )
})

t.test('a Dockerfile that does not say how it runs is refused', async (t) => {
  const text = fileText('Dockerfile')
  for (const line of [/^USER .*$/m, /^CMD .*$/m, /^ENV /m, /^HEALTHCHECK /m]) {
    t.throws(() => readDockerfile(text.replace(line, 'RUN true')), /not once/, String(line))
  }
  t.throws(() => readDockerfile(text.replace('CMD ["node", "src/main.ts"]', 'CMD npm start')))
})
