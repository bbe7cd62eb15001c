import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { Problem } from '../problems.ts'
import { describeAccount } from '../spotify/account.ts'
import type { ConnectionStatus } from '../spotify/connection.ts'
import type { Connected } from '../spotify/connections.ts'
import { tables } from '../tables/index.ts'
import { mediaTypes } from './format.ts'

const style =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;' +
  'color:#1a1a1a;background:#fff}dt{font-weight:600}dd{margin:0 0 .8rem}h1{line-height:1.2}' +
  'a{color:#0b57d0}code{overflow-wrap:anywhere}' +
  '@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ab4f8}}'

const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const otherLink =
  '<p>For another link run <code>npm run authorize</code>, or ask whoever runs this service.</p>\n'

/** What whoever gave or refused a consent is answered with, and what keeps it in its browser. */
export const consentHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
}

/** Whether a caller is a person with a browser: JSON is for those who do not ask for HTML by name. */
export function wantsPage(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return type === 'text/html' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })
}

/** What a page is sent with: no scripts, nothing from elsewhere, in nobody's frame or store. */
export const pageHeaders = {
  ...consentHeaders,
  'content-security-policy': contentSecurityPolicy,
  'content-type': 'text/html; charset=utf-8',
}

/** Sends a page. */
export function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).headers(pageHeaders).send(page)
}

/** The page after a consent that counted. */
export function connectedPage({ connection, account, alsoAs }: Connected): string {
  const status = connection.status()
  const others = alsoAs.map((name) => `<code>${safe(name)}</code>`).join(', ')
  const facts = [
    ['Account', safe(describeAccount(account))],
    ...(alsoAs.length > 0
      ? [['The same account is also connected as', `${others}: its rows are read twice`]]
      : []),
    ['Granted', listOf(status.scopes, 'nothing', 'Spotify did not say')],
    ['Missing', missingOf(status)],
    ['The consent ends on', endOf(status)],
  ]
  const rows = facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('\n')
  return page(
    `Connection ${status.name} is authorised`,
    `<dl>\n${rows}\n</dl>\n<p>You can close this page.</p>`,
  )
}

/** The page for a consent that did not count. `again`: where to begin anew; null: not known. */
export function problemPage(
  { title, detail, code, request_id }: Problem,
  again: string | null,
): string {
  const link = again === null ? otherLink : `<p><a href="${safe(again)}">Begin again</a></p>\n`
  return page(
    title,
    `<p>${safe(detail)}</p>\n${link}<p><small><code>${safe(code)}</code>, request <code>${safe(request_id)}</code></small></p>`,
  )
}

/** The media types of the two ways to answer, for the description. */
export const pageType = 'text/html'
export const plainType = mediaTypes.json

function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)} - Lakeflow Spotify connector</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${safe(title)}</h1>
${body}
</main>
</body>
</html>
`
}

function listOf(scopes: readonly string[] | null, none: string, unknown: string): string {
  if (scopes === null) return unknown
  return scopes.length === 0
    ? none
    : scopes.map((scope) => `<code>${safe(scope)}</code>`).join(', ')
}

function missingOf({ missingScopes }: ConnectionStatus): string {
  const missing = listOf(missingScopes, 'nothing', 'not known')
  const unread = tables.filter(({ scopes }) => scopes.some((one) => missingScopes?.includes(one)))
  if (unread.length === 0) return missing
  return `${missing}. These tables can’t be read: ${unread.map(({ name }) => name).join(', ')}`
}

function endOf({ expiresAtMs, daysLeft }: ConnectionStatus): string {
  if (expiresAtMs === null) return 'not known'
  const day = new Date(expiresAtMs).toISOString().slice(0, 10)
  return `<time datetime="${day}">${day}</time> (in ${daysLeft} days). Spotify then asks for another one`
}

/** Text made safe to stand in an element or in a quoted attribute. */
function safe(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
