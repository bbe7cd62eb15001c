import { readFileSync } from 'node:fs'
import t from 'tap'
import { openApiText } from '../../scripts/openapi-text.ts'

t.test('openapi/openapi.json is what the routes say', async (t) => {
  const committed = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')
  t.equal(committed, await openApiText(), 'stale: run "npm run openapi" and commit the file')
})
