import t from 'tap'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { fileText, objectionTo, stopS } from '../helpers/deploy-file.ts'

const compose = parse(fileText('deploy/compose.yaml'))
const service = compose.services['lakeflow-spotify']

t.test('the container has no more rights than it needs', async (t) => {
  t.match(service, {
    user: '10001:10001',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  })
})

t.test('only this machine reaches it', async (t) => {
  t.same(service.ports, ['127.0.0.1:8080:8080'])
})

t.test('the container has the time that a shutdown takes', async (t) => {
  t.ok(Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1]) >= stopS)
})

t.test('every variable is one that the service takes, the commented ones too', async (t) => {
  const commented = fileText('deploy/compose.yaml').matchAll(/^ *# ([A-Z_]+): /gm)
  for (const name of [...Object.keys(service.environment), ...Array.from(commented, (m) => m[1])]) {
    t.equal(objectionTo(String(name)), null)
  }
})

t.test('secrets come as files, and from nowhere else', async (t) => {
  t.same(Object.keys(compose.secrets), service.secrets)
  for (const [name, path] of Object.entries<string>(service.environment)) {
    t.match(name, /_FILE$/)
    t.ok(service.secrets.includes(path.replace('/run/secrets/', '')), path)
  }
  for (const name of service.secrets) t.equal(compose.secrets[name].file, `./secrets/${name}`)
})

t.test('what the image writes to is a volume with a name', async (t) => {
  t.same(service.volumes, ['data:/data'])
  t.ok('data' in compose.volumes)
})

t.test('its health is asked for as in the image', async (t) => {
  const { test, ...times } = service.healthcheck
  const image = fileText('Dockerfile')
  // Compose puts variables in where there is one dollar sign.
  t.ok(
    image.includes(
      `CMD ${JSON.stringify(test.slice(1)).replace('$$', '$').replaceAll('","', '", "')}`,
    ),
  )
  const inImage = Array.from(image.matchAll(/--(interval|timeout|start-period|retries)=(\w+)/g))
  t.same(
    times,
    Object.fromEntries(
      inImage.map(([, name, value]) => [
        String(name).replace('-', '_'),
        name === 'retries' ? Number(value) : value,
      ]),
    ),
  )
})

t.test('the image is that of this version', async (t) => {
  t.equal(service.image, `lakeflow-spotify:${packageJson.version}`)
})
