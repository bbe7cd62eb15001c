import { openStore } from '../../src/database/open.ts'

// A process that opens the store at argv[2], stores token-1, token-2, … up to the count in argv[3]
// and holds the store until it is killed. It tells of each step, once it is done, by a line of JSON.

const [url = '', count = '0'] = process.argv.slice(2)
const origin = { connection: 'default', clientId: 'app', fingerprint: 'f' }
const tell = (step: object) => process.stdout.write(`${JSON.stringify(step)}\n`)

tell({ opening: true })
try {
  const store = openStore(url, { warn: (_details, message) => tell({ warning: message }) })
  tell({ opened: store.openConsent(origin, 1).refreshToken })
  for (let n = 1; n <= Number(count); n++) {
    store.saveRefreshToken(origin, `token-${n}`, n)
    tell({ stored: n })
  }
  setInterval(() => store.bans('app'), 60_000)
} catch (error) {
  tell({ refused: String(error) })
}
