import t from 'tap'
import { parseAllDocuments } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { fileText, objectionTo, stopS } from '../helpers/deploy-file.ts'

type Variable = { name: string; value: string }

const documents = parseAllDocuments(fileText('deploy/kubernetes.yaml')).map((one) => one.toJS())
const ofKind = (kind: string) => documents.find((one) => one.kind === kind)
const deployment = ofKind('Deployment')
const pod = deployment.spec.template.spec
const [container] = pod.containers

t.test('there is one pod at a time: the database has one writer', async (t) => {
  t.match(deployment.spec, { replicas: 1, strategy: { type: 'Recreate' } })
  t.equal(deployment.spec.strategy.rollingUpdate, undefined)
  t.equal(pod.containers.length, 1)
})

t.test('a pod has the time that a shutdown takes', async (t) => {
  t.ok(pod.terminationGracePeriodSeconds >= stopS)
})

t.test('a pod has no more rights than it needs', async (t) => {
  t.match(pod, {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  })
  t.match(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
})

t.test('probes ask what needs no access key and does not depend on Spotify', async (t) => {
  const pathOf = (probe: string) => container[probe].httpGet.path
  t.equal(pathOf('startupProbe'), '/livez')
  t.equal(pathOf('livenessProbe'), '/livez')
  t.equal(pathOf('readinessProbe'), '/readyz')
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    t.equal(container[probe].httpGet.port, container.ports[0].name, probe)
  }
})

t.test('every variable is one that the service takes, the commented ones too', async (t) => {
  const commented = fileText('deploy/kubernetes.yaml').matchAll(/^ *# - name: ([A-Z_]+)$/gm)
  const names = container.env.map(({ name }: Variable) => name)
  for (const name of [...names, ...Array.from(commented, ([, name]) => name)]) {
    t.equal(objectionTo(name), null)
  }
  t.equal(new Set(names).size, names.length)
})

t.test(
  'secrets come as files that the user of the pod can read, and from nowhere else',
  async (t) => {
    const mount = container.volumeMounts.find(({ name }: Variable) => name === 'secrets')
    const volume = pod.volumes.find(({ name }: Variable) => name === 'secrets')
    t.ok(mount.readOnly)
    // Root owns the files of a Secret; the group is fsGroup.
    t.equal(volume.secret.defaultMode, 0o440)
    t.equal(pod.securityContext.fsGroup, pod.securityContext.runAsGroup)
    for (const { name, value } of container.env as Variable[]) {
      t.match(name, /_FILE$/)
      t.equal(value.slice(0, value.lastIndexOf('/')), mount.mountPath)
    }
    t.equal(ofKind('Secret'), undefined, 'no secret is kept with the manifest')
  },
)

t.test('what the image writes to is a volume that outlives the pod', async (t) => {
  const volume = pod.volumes.find(({ name }: Variable) => name === 'data')
  const claim = ofKind('PersistentVolumeClaim')
  t.match(container.volumeMounts, [{ name: 'data', mountPath: '/data' }])
  t.equal(volume.persistentVolumeClaim.claimName, claim.metadata.name)
  t.same(claim.spec.accessModes, ['ReadWriteOnce'])
})

t.test('the service finds the pod', async (t) => {
  const service = ofKind('Service')
  const { labels } = deployment.spec.template.metadata
  t.same(service.spec.selector, labels)
  t.same(deployment.spec.selector.matchLabels, labels)
  t.equal(service.spec.type, 'ClusterIP')
  t.equal(service.spec.ports[0].targetPort, container.ports[0].name)
})

t.test('the image is that of this version', async (t) => {
  t.equal(container.image, `lakeflow-spotify:${packageJson.version}`)
})
