import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const prefix = 'spotify_connector_'

/** Makes metrics of one registry, each with the service's prefix and what it means. */
export type Maker = {
  counter<L extends string>(name: string, help: string, labels: readonly L[]): Counter<L>
  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L>
  gauge<L extends string>(name: string, help: string, labels: readonly L[]): Gauge<L>
}

/** What makes the metrics of a registry. */
export function makerOf(registry: Registry): Maker {
  const about = <L extends string>(name: string, help: string, labels: readonly L[]) => ({
    name: prefix + name,
    help,
    labelNames: labels,
    registers: [registry],
  })
  return {
    counter: (...args) => new Counter(about(...args)),
    gauge: (...args) => new Gauge(about(...args)),
    histogram: (name, help, labels, buckets) =>
      new Histogram({ ...about(name, help, labels), buckets: [...buckets] }),
  }
}
