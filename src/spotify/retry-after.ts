const maxMs = 30 * 24 * 3600 * 1000

// The three forms of RFC 9110, section 5.6.7; anything looser, Date.parse would read in local time.
const httpDate =
  /(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (?:\d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})/g
const seconds = /^\+?\d+(\.\d+)?$/

/**
 * How long a `Retry-After` asks to wait, in ms, or null when it says nothing usable: absent, 0,
 * negative, a date that is past, unreadable. Proxies send dates, fractions and several values:
 * the largest counts, fractions of a second are rounded up, 30 days are the most.
 * Source: RFC 9110, section 10.2.3.
 */
export function parseRetryAfter(
  header: string | readonly string[] | undefined,
  nowMs: number,
): number | null {
  const waits = [header ?? []]
    .flat()
    .flatMap((value) => [
      ...[...value.matchAll(httpDate)].map(([date]) => untilMs(date, nowMs)),
      ...value.replaceAll(httpDate, '').split(',').map(secondsMs),
    ])
    .filter((ms) => ms > 0)
  return waits.length === 0 ? null : Math.min(Math.max(...waits), maxMs)
}

function untilMs(date: string, nowMs: number): number {
  // The asctime form names no zone, and means GMT.
  const at = Date.parse(date.endsWith('GMT') ? date : `${date} GMT`)
  return Math.ceil((at - nowMs) / 1000) * 1000
}

function secondsMs(text: string): number {
  const value = text.trim()
  return seconds.test(value) ? Math.ceil(Number(value)) * 1000 : Number.NaN
}
