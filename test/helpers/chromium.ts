import { existsSync } from 'node:fs'

/** Where Chromium is: `CHROMIUM`, or where Debian has it. */
export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Why a test in a browser is left out, or false. Only `npm run test:browser` asks for them. */
export const skip = whyNot()

function whyNot(): string | false {
  if (process.env.BROWSER !== 'true') return 'npm run test:browser runs it'
  if (existsSync(executablePath)) return false
  const reason = `no browser at ${executablePath}: set CHROMIUM to one`
  process.stderr.write(`NOT TESTED in a browser: ${reason}\n`)
  return reason
}
