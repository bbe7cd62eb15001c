import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { build } from './helpers/build.ts'
import { scrape } from './helpers/metrics.ts'

type Rule = {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; description: string }
}
type Panel = { title: string; type: string; targets?: { expr: string; datasource: unknown }[] }

const read = (name: string) => readFileSync(new URL(`../deploy/${name}`, import.meta.url), 'utf8')
const rules: Rule[] = parse(read('alerts.yml')).groups.flatMap(
  ({ rules: those }: { rules: Rule[] }) => those,
)
const dashboard: { panels: Panel[]; templating: { list: { type: string; query: unknown }[] } } =
  JSON.parse(read('grafana-dashboard.json'))

const ours = /\b(?:spotify_connector|process|nodejs)_[a-z_\d]+/g
const selected = /\b((?:spotify_connector|process|nodejs)_[a-z_\d]+)\{([^}]*)\}/g

/** The metrics there are after all tables were read, with the labels that each may have. */
async function known(t: Parameters<typeof build>[0]) {
  const { app } = await build(t)
  const { types } = await scrape(app)
  const source = ['read', 'upstream', 'state', 'shape'].map((name) =>
    readFileSync(new URL(`../src/metrics/${name}-metrics.ts`, import.meta.url), 'utf8'),
  )
  return {
    has: (name: string) =>
      types.has(name) ||
      (types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram' &&
        /_(bucket|sum|count)$/.test(name)),
    isLabel: (label: string) =>
      ['job', 'instance', 'le', 'route', 'status', 'operation'].includes(label) ||
      source.some((text) => text.includes(`'${label}'`)),
  }
}

t.test('every metric and label that the alerts and the dashboard ask for exists', async (t) => {
  const { has, isLabel } = await known(t)
  const panels = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  const variables = dashboard.templating.list.map(({ query }) => JSON.stringify(query))
  const all = [...rules.map(({ expr }) => expr), ...panels, ...variables]
  for (const expr of all) {
    for (const [name] of expr.matchAll(ours)) t.ok(has(name), `${name} in: ${expr}`)
    for (const [, , matchers = ''] of expr.matchAll(selected)) {
      for (const [, label = ''] of matchers.matchAll(/([a-z_]+)(?:=|!)/g))
        t.ok(isLabel(label), label)
    }
  }
  t.ok(all.length > 50)
})

t.test('every metric of ours is in the alerts or on the dashboard', async (t) => {
  const { app } = await build(t)
  const text = read('alerts.yml') + read('grafana-dashboard.json')
  for (const name of (await scrape(app)).types.keys()) {
    if (name.startsWith('spotify_connector_')) t.ok(text.includes(name), name)
  }
})

t.test('every alert says what is wrong, how bad it is and what to do', async (t) => {
  t.ok(rules.length >= 15)
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, labels, annotations } of rules) {
    t.match(labels.severity, /^(warning|critical)$/, alert)
    t.match(annotations.summary, /^\S.{15,}[^.]$/, `${alert}: a headline`)
    t.match(annotations.description, /\w.{40,}\.$/s, `${alert}: what to do`)
  }
})

t.test('the dashboard asks the data source that is chosen when it is imported', async (t) => {
  t.match(dashboard.templating.list[0], { type: 'datasource', query: 'prometheus' })
  for (const { title, type, targets = [] } of dashboard.panels) {
    if (type !== 'row') t.ok(targets.length > 0, title)
    for (const { datasource } of targets) {
      t.strictSame(datasource, { type: 'prometheus', uid: `\${datasource}` }, title)
    }
  }
})
