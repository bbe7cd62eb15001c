import type { FastifyInstance } from 'fastify'
import { ask } from './answer.ts'

/** One line of the text format. */
export type Sample = { name: string; labels: Record<string, string>; value: number }

/** What a text of metrics says. */
export type Scrape = {
  samples: Sample[]
  /** The kind of every metric there is, with values or without. */
  types: Map<string, string>
  helps: Map<string, string>
  /** The sum of the values of this name (without `spotify_connector_`) with these labels. */
  value(name: string, labels?: Record<string, string>): number | null
}

/** Asks a service for its metrics. */
export async function scrape(app: FastifyInstance): Promise<Scrape> {
  const { status, text } = await ask(app, { url: '/metrics', headers: { host: 'localhost' } })
  if (status !== 200) throw new Error(text)
  return parseMetrics(text)
}

/** Reads the text format; throws for a line that is none of it. */
export function parseMetrics(text: string): Scrape {
  const samples: Sample[] = []
  const types = new Map<string, string>()
  const helps = new Map<string, string>()
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, kind, about = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind) (kind === 'HELP' ? helps : types).set(about, rest)
    else samples.push(sampleOf(line))
  }
  return {
    ...{ samples, types, helps },
    value(name, labels = {}) {
      const those = samples.filter(
        (one) =>
          one.name === `spotify_connector_${name}` &&
          Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      )
      return those.length === 0 ? null : those.reduce((sum, { value }) => sum + value, 0)
    },
  }
}

function sampleOf(line: string): Sample {
  const [, name, labels = '', value] = /^([a-z_\d]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (!name || value === undefined) throw new Error(`no sample: ${line}`)
  const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)/g)]
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', its = '']) => [label, its])),
    value: Number(value.replace('Nan', 'NaN')),
  }
}
