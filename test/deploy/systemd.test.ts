import t from 'tap'
import { fileText, objectionTo, stopS } from '../helpers/deploy-file.ts'

/** Of each setting, all that the unit gives it, in their order. */
const unit = Map.groupBy(
  Array.from(fileText('deploy/lakeflow-spotify.service').matchAll(/^(#?)([A-Z]\w+)=(.*)$/gm)),
  ([, comment, name]) => `${comment}${name}`,
)
const valuesOf = (name: string) => (unit.get(name) ?? []).map(([, , , value]) => String(value))
const environment = [...valuesOf('Environment'), ...valuesOf('#Environment')].map((variable) => {
  const at = variable.indexOf('=')
  return [variable.slice(0, at), variable.slice(at + 1)] as const
})

t.test('Node itself is started, so that signals reach it', async (t) => {
  t.same(valuesOf('ExecStart'), ['/opt/lakeflow-spotify/node_modules/.bin/node src/main.ts'])
  t.same(valuesOf('WorkingDirectory'), ['/opt/lakeflow-spotify'])
})

t.test('it has the time that a shutdown takes', async (t) => {
  t.ok(Number(/^(\d+)s$/.exec(valuesOf('TimeoutStopSec').join())?.[1]) >= stopS)
})

t.test('it is started again after a fault, but not for ever', async (t) => {
  t.same(valuesOf('Restart'), ['on-failure'])
  const [starts, restartS] = [
    Number(valuesOf('StartLimitBurst')),
    Number.parseInt(valuesOf('RestartSec').join(), 10),
  ]
  t.same(valuesOf('StartLimitIntervalSec'), ['5min'])
  t.ok(starts * restartS < 5 * 60, 'the limit is reached before its interval is over')
})

t.test('every variable is one that the service takes, the commented ones too', async (t) => {
  for (const [name] of environment) {
    if (name !== 'NODE_ENV') t.equal(objectionTo(name), null)
  }
})

t.test('secrets come as credentials of the unit, and from nowhere else', async (t) => {
  const credentials = [...valuesOf('LoadCredential'), ...valuesOf('#LoadCredential')]
  const files = environment.filter(([name]) => name.endsWith('_FILE')).map(([, path]) => path)
  t.same(
    files,
    credentials.map((credential) => `%d/${credential.split(':')[0]}`),
  )
  for (const credential of credentials) {
    const [name, path] = credential.split(':')
    t.equal(path, `/etc/lakeflow-spotify/${name}`)
  }
})

t.test('lost secrets never serve made-up rows', async (t) => {
  t.same(
    environment.find(([name]) => name === 'DEMO'),
    ['DEMO', 'false'],
  )
})

t.test('the database is in the one folder that may be written', async (t) => {
  const [, url] = environment.find(([name]) => name === 'DATABASE_URL') ?? []
  t.equal(url, `sqlite:/var/lib/${valuesOf('StateDirectory')}/connector.db`)
  t.same(valuesOf('StateDirectoryMode'), ['0700'])
  t.same(valuesOf('ProtectSystem'), ['strict'])
})
