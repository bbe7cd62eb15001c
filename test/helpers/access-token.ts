import type { Simulator } from '../../src/simulator/simulator.ts'
import { basic } from '../../src/spotify/token-endpoint.ts'

/** The headers of a request that the simulated Spotify takes: with an access token of its own. */
export async function authorized(simulator: Simulator): Promise<{ authorization: string }> {
  const answer = await fetch(`${simulator.accountsUrl}/api/token`, {
    method: 'POST',
    headers: { authorization: basic(simulator.clientId, simulator.clientSecret) },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: simulator.refreshToken,
    }),
  })
  const { access_token } = (await answer.json()) as { access_token: string }
  return { authorization: `Bearer ${access_token}` }
}
