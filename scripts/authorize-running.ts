import type { Config } from '../src/config.ts'
import { createLinks } from '../src/links.ts'

const patienceMs = 60_000

/**
 * What to tell while the running service has the database open: its own link for the consent, with
 * a ticket where access keys are set.
 */
export async function linkOfRunning(config: Config, connection: string): Promise<string> {
  const { publicUrl, port, accessKeys } = config
  const local = `http://127.0.0.1:${port}`
  const base = publicUrl ?? local
  const use = `The database is in use by the running service, so the consent goes through it. Open this link in a browser: `
  const key = accessKeys.find(({ connections }) => connections?.includes(connection) ?? true)?.key
  if (accessKeys.length === 0) return `${use}${createLinks(() => base, null).authorize(connection)}`
  const path = `/connections/${connection}/check`
  const ways = port === 0 ? [base] : [local, base]
  for (const way of key === undefined ? [] : ways) {
    const link = await ticketedLink(`${way}${path}`, key as string)
    if (link !== null) return `${use}${link}`
  }
  return `The database is in use by the running service, which wants an access key and could not be asked for a link: stop the service, or ask it by curl -H "Authorization: Bearer KEY" ${base}${path}, and open its authorize_url in a browser.`
}

/** The link in a check, or in the problem where the connection is a new one; null: none was got. */
async function ticketedLink(url: string, key: string): Promise<string | null> {
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${key}` },
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    })
    const { authorize_url: link } = (await answer.json()) as { authorize_url?: unknown }
    return typeof link === 'string' ? link : null
  } catch {
    return null // Not there, or not the service: the next way is tried, and what to do is told.
  }
}
