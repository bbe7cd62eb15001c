import type { Choice } from '../../src/simulator/choose.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'

/** What a browser shows in the end. */
export type Shown = { url: URL; status: number; headers: Headers; text: string }

/** A browser without a screen: it keeps cookies, asks for HTML and follows redirects. */
export class Browser {
  /** As a browser sees them: every port of a host shares them. */
  readonly cookies = new Map<string, string>()
  /** Each `Set-Cookie` it was sent. */
  readonly setCookies: string[] = []
  /** Every address it was at. */
  readonly visited: URL[] = []

  /** One request. */
  async ask(url: string | URL, accept = 'text/html,application/xhtml+xml,*/*;q=0.8') {
    const at = new URL(url)
    this.visited.push(at)
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept, ...(cookie && { cookie }) }
    const answer = await fetch(at, { headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      this.setCookies.push(line)
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.cookies.set(name, value)
    }
    return answer
  }

  /** Opens an address, and goes where it is led within the service: to Spotify's door, or a page. */
  async open(url: string | URL, accept?: string): Promise<Shown> {
    for (let at = new URL(url), hops = 0; ; hops++) {
      const answer = await this.ask(at, accept)
      const location = answer.headers.get('location')
      if (location === null) {
        return {
          url: at,
          status: answer.status,
          headers: answer.headers,
          text: await answer.text(),
        }
      }
      await answer.body?.cancel()
      at = new URL(location, at)
      if (at.pathname.endsWith('/accounts/authorize')) {
        return { url: at, status: answer.status, headers: answer.headers, text: '' }
      }
      if (hops === 5) throw new Error(`a redirect loop at ${at.href}`)
    }
  }

  /** The whole way of a consent, from its link to the page after it. */
  async consent(url: string | URL, spotify: Simulator, choice?: Choice): Promise<Shown> {
    const door = await this.open(url)
    if (door.status !== 302) throw new Error(`not led to Spotify: ${door.status} ${door.text}`)
    return this.open(await spotify.authorise(door.url, choice))
  }
}
