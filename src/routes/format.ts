/** How a read is written. */
export type Format = 'json' | 'ndjson'

/** The media types that choose a format; others are not known, and get JSON. */
export const mediaTypes: Record<Format, string> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
}

/**
 * The format that an `Accept` header prefers by its highest q; JSON on a tie, where it is missing
 * and for what we don't know: a read is never refused for it. Source: RFC 9110, section 12.5.1.
 */
export function formatOf(accept: string | undefined): Format {
  if (accept === undefined) return 'json'
  const ranges = accept.split(',').map(readRange)
  return qualityOf('ndjson', ranges) > qualityOf('json', ranges) ? 'ndjson' : 'json'
}

type Range = { type: string; q: number }

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const value = q === undefined ? 1 : Number(q)
  return { type, q: value >= 0 && value <= 1 ? value : 0 }
}

/** The most specific range that matches says it, whatever others say. */
function qualityOf(format: Format, ranges: readonly Range[]): number {
  for (const type of [mediaTypes[format], 'application/*', '*/*']) {
    const matching = ranges.filter((range) => range.type === type)
    if (matching.length > 0) return Math.max(...matching.map(({ q }) => q))
  }
  return 0
}
