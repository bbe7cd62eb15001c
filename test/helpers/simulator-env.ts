import type { Simulator } from '../../src/simulator/simulator.ts'

/** The variables that point a service at a simulated Spotify, as the app and account that it has. */
export function simulatorEnv(simulator: Simulator) {
  return {
    SPOTIFY_CLIENT_ID: simulator.clientId,
    SPOTIFY_CLIENT_SECRET: simulator.clientSecret,
    SPOTIFY_REFRESH_TOKEN: simulator.refreshToken,
    SPOTIFY_API_URL: simulator.apiUrl,
    SPOTIFY_ACCOUNTS_URL: simulator.accountsUrl,
  }
}
