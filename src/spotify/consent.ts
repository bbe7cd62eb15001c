const months = 6
const dayMs = 24 * 3600 * 1000

/** Until when a consent holds; Unix ms, and whole days from now on, negative when it has ended. */
export type ConsentEnd = { expiresAtMs: number; daysLeft: number }

/**
 * When the refresh token of a consent ends: 6 months after it, in UTC; refreshing does not prolong
 * it. Source: Web API changelog, "Refresh token expiration", June 2026.
 */
export function consentEnd(consentedAtMs: number, nowMs: number): ConsentEnd {
  const end = new Date(consentedAtMs)
  const day = end.getUTCDate()
  end.setUTCMonth(end.getUTCMonth() + months)
  // 31 August and 6 months is the last of February, not the third of March.
  if (end.getUTCDate() !== day) end.setUTCDate(0)
  const expiresAtMs = end.getTime()
  return { expiresAtMs, daysLeft: Math.floor((expiresAtMs - nowMs) / dayMs) }
}
