import { chromium } from 'playwright-core'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { executablePath, skip } from '../helpers/chromium.ts'

t.test('in a browser, "Authorize" takes a key and "Execute" sends it', { skip }, async (t) => {
  const key = 'swagger-key-swagger-key'
  const { listen } = await build(t, { env: { API_KEYS: key } })
  const base = `http://127.0.0.1:${await listen()}`
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().includes('401')) complaints.push(line.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${base}/docs`)

  const operation = page.locator('#operations-tables-listTables')
  await operation.locator('.opblock-summary-control').click()
  const execute = async () => {
    const [answer] = await Promise.all([
      page.waitForResponse(`${base}/tables`),
      operation.locator('.execute').click(),
    ])
    const { authorization } = await answer.request().allHeaders()
    return { status: answer.status(), authorization }
  }
  t.strictSame(await execute(), { status: 401, authorization: undefined })

  await page.locator('.auth-wrapper .authorize').click()
  await page.locator('.modal-ux input').fill(key)
  await page.locator('.modal-ux button.authorize').click()
  await page.locator('.modal-ux button.btn-done').click()
  t.strictSame(await execute(), { status: 200, authorization: `Bearer ${key}` })
  t.match(await operation.locator('.live-responses-table').textContent(), /"recently_played"/)

  await page.goto('about:blank')
  await page.goto(`${base}/docs`)
  await operation.locator('.opblock-summary-control').click()
  t.equal((await execute()).status, 401, 'the key is gone with the page')
  t.equal(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })), '{}')
  t.strictSame(complaints, [], 'nothing that the policy of the page stopped')
})
