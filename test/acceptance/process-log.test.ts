import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'

t.test('the log of the process tells no secret, at its most talkative', async (t) => {
  const spotify = await startSimulator({ rotate: true })
  t.teardown(() => spotify.close())
  const { clientId, clientSecret, refreshToken } = spotify
  const secrets = new Set([
    clientSecret,
    refreshToken,
    Buffer.from(`${clientId}:${clientSecret}`).toString('base64'),
  ])
  const echo = { kind: 'status' as const, status: 500, body: '' }
  const saysBack = (path: string) => ({
    on(request: { path: string; headers: object; body: Buffer }) {
      if (request.path !== path) return false
      const { authorization } = request.headers as { authorization: string }
      secrets.add(authorization.replace(/^\w+ /, ''))
      echo.body = `${authorization} ${request.body}`
      return true
    },
    fault: echo,
  })
  spotify.faults.add(saysBack('/api/token'))
  spotify.faults.add(saysBack('/me'))

  const service = spawn(process.execPath, ['src/main.ts'], {
    env: {
      PORT: '0',
      LOG_LEVEL: 'trace',
      DATABASE_URL: `sqlite:${t.testdir()}/connector.db`,
      SPOTIFY_CLIENT_ID: clientId,
      SPOTIFY_CLIENT_SECRET: clientSecret,
      SPOTIFY_REFRESH_TOKEN: refreshToken,
      SPOTIFY_API_URL: spotify.apiUrl,
      SPOTIFY_ACCOUNTS_URL: spotify.accountsUrl,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => service.kill('SIGKILL'))
  const lines: string[] = []
  const { promise: listening, resolve } = Promise.withResolvers<string>()
  createInterface(service.stdout).on('line', (line) => {
    lines.push(line)
    const [, address] = /listening: open (.*)\/docs/.exec(line) ?? []
    if (address) resolve(address)
  })

  const answer = await fetch(`${await listening}/tables/user_profile/read`)
  t.equal(answer.status, 200)
  service.kill()
  await once(service, 'close')
  const log = lines.join('\n')
  t.equal(log.match(/500 \\"(Bearer )?\[redacted\]/g)?.length, 2, 'both were said back')
  t.ok(secrets.size > 3)
  for (const secret of [...secrets, spotify.refreshToken]) t.notOk(log.includes(secret))
})
