// Writes openapi/openapi.json from the routes: `npm run openapi`. With --check it writes nothing,
// and fails when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { openApiText } from './openapi-text.ts'

const path = new URL('../openapi/openapi.json', import.meta.url)
const text = await openApiText()
if (!process.argv.includes('--check')) {
  writeFileSync(path, text)
} else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write('openapi/openapi.json is stale: run "npm run openapi" and commit it\n')
  process.exitCode = 1
}
