import type { Account } from './account.ts'

type Asked = { clientId: string; scopes: readonly string[]; accounts: readonly Account[] }

/**
 * What a browser may do with the page. There is no `form-action`: browsers hold the redirect that
 * answers a form to it, too, and this one leads to the app.
 */
export const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

const style = `
  body { color: #111; background: #fff; font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem;
    margin: 2rem auto; padding: 0 1rem }
  fieldset { margin: 1.5rem 0; border: 1px solid #767676; border-radius: .5rem }
  label { display: block; padding: .25rem 0 }
  button { font: inherit; padding: .6rem 2rem; margin-right: 1rem; border: 2px solid #11612f;
    border-radius: 2rem; background: #fff; color: #11612f }
  button[value=agree] { background: #11612f; color: #fff }
`

/**
 * The page on which an owner consents: which account, which of the scopes, and yes or no. It needs
 * no script and nothing else to be loaded; its form goes to the address of the page.
 */
export function consentPage({ clientId, scopes, accounts }: Asked): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Consent - simulated Spotify</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Simulated Spotify</h1>
<p>This is not Spotify, but a simulation of it with made-up accounts. The app
<strong>${escaped(clientId)}</strong> asks to read one of them.</p>
<form method="post">
<fieldset>
<legend>Which account?</legend>
${accounts.map(accountChoice).join('\n')}
</fieldset>
<fieldset>
<legend>What may the app read?</legend>
${scopes.map(scopeChoice).join('\n') || '<p>Only what everybody may see.</p>'}
</fieldset>
<button name="decision" value="agree">Agree</button>
<button name="decision" value="cancel">Cancel</button>
</form>
</main>
</body>
</html>
`
}

function accountChoice({ number, library: { me } }: Account) {
  const name = me.display_name ? `${escaped(me.display_name)} (${escaped(me.id)})` : escaped(me.id)
  const checked = number === 0 ? ' checked' : ''
  return `<label><input type="radio" name="account" value="${number}"${checked}> ${name}</label>`
}

function scopeChoice(scope: string) {
  const value = escaped(scope)
  return `<label><input type="checkbox" name="scope" value="${value}" checked> ${value}</label>`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Tests make users who lack what real ones have, so this takes anything. */
function escaped(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign)
}
