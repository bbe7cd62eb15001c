/** What an owner does on the consent page. */
export type Choice = {
  /** Which account, by its place among the simulator's; the first by default. */
  account?: number
  /** Which of the scopes asked for stay ticked; all by default. */
  scopes?: readonly string[]
  /** Presses Cancel. */
  deny?: boolean
}

/**
 * Does what a browser and its person do at an address of `/authorize`, and gives the `Location`
 * that they are sent to. Throws an Error with what the page says when they are sent nowhere.
 */
export async function chooseOnConsentPage(
  url: string | URL,
  { account = 0, scopes, deny = false }: Choice = {},
): Promise<string> {
  const asked = new URL(url).searchParams.get('scope')?.split(' ') ?? []
  const form = new URLSearchParams({
    account: String(account),
    decision: deny ? 'cancel' : 'agree',
  })
  for (const scope of scopes ?? asked) form.append('scope', scope)
  const answer = await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
  const location = answer.headers.get('location')
  const page = await answer.text()
  if (location === null) throw new Error(`${answer.status}: ${page}`)
  return location
}
