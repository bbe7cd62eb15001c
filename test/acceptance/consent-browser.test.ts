import { mkdirSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { executablePath, skip } from '../helpers/chromium.ts'
import { startMain } from '../helpers/main-process.ts'

// SCREENSHOTS=FOLDER keeps what the browser showed.
const screenshots = process.env.SCREENSHOTS

/** A demo, and a browser that has been nowhere yet. */
async function start(t: Test) {
  const demo = startMain(t, t.testdir())
  const base = await demo.listening()
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (/content security policy|refused to/i.test(message.text())) complaints.push(message.text())
  })
  return { base, browser, page, complaints, log: () => demo.written() }
}

async function shoot(page: Page, name: string): Promise<void> {
  if (!screenshots) return
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true })
}

t.test(
  'an owner consents in a browser: denies, agrees, and loads the page again',
  { skip },
  async (t) => {
    const { base, browser, page, complaints, log } = await start(t)
    const link = `${base.replace('127.0.0.1', 'localhost')}/connections/anna/authorize`
    await page.goto(link)
    t.match(new URL(page.url()).pathname, '/accounts/authorize')
    await shoot(page, '1-asked')
    await page.getByRole('button', { name: 'Cancel' }).click()
    t.equal(new URL(page.url()).origin, base)
    t.equal(await page.getByRole('heading').textContent(), 'The consent did not count')
    t.match(await page.locator('main').textContent(), /connection anna was denied/)
    await shoot(page, '2-denied')

    await page.getByRole('link', { name: 'Begin again' }).click()
    await page.getByRole('radio').nth(1).check()
    await page.getByRole('checkbox', { name: 'user-top-read' }).uncheck()
    await page.getByRole('button', { name: 'Agree' }).click()
    t.equal(await page.getByRole('heading').textContent(), 'Connection anna is authorised')
    const told = await page.locator('main').textContent()
    t.match(told, /Missing\s*user-top-read\. These tables can’t be read: top_tracks, top_artists/)
    await shoot(page, '3-authorised')
    const callback = page.url()

    await page.reload()
    t.match(await page.locator('main').textContent(), /came back before, and counts once/)
    await shoot(page, '4-replayed')
    const other = await (await browser.newContext()).newPage()
    await other.goto(callback)
    t.match(await other.locator('main').textContent(), /begun in another browser/)
    await shoot(other, '5-foreign')

    const json = async (path: string) => JSON.parse(await (await fetch(base + path)).text())
    t.match((await json('/connections')).connections, [
      { name: 'default' },
      { name: 'anna', state: 'ok', days_left: Number },
    ])
    const { records } = await json('/tables/user_profile/read?connection=anna')
    t.ok(told?.includes(records[0].display_name))
    t.strictSame(complaints, [], 'the pages keep to their own policy')
    for (const secret of new URL(callback).searchParams.values()) t.notOk(log().includes(secret))
  },
)
