import t from 'tap'
import { start } from './start.ts'

t.test('any other path of the accounts service is a page for people', async (t) => {
  const { simulator } = await start(t)
  for (const path of ['/nowhere?x=1', '/authorize/', '/api/token/', '/']) {
    const page = await fetch(`${simulator.accountsUrl}${path}`)
    t.equal(page.status, 404, path)
    t.match(page.headers.get('content-type'), /^text\/html/)
  }
})
