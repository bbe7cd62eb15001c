import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { On, Rule } from '../../src/simulator/faults.ts'
import { type LibrarySize, makeLibrary, makePlay, makeTrack } from '../../src/simulator/library.ts'
import { viewOf } from '../../src/simulator/mode.ts'
import { build } from '../helpers/build.ts'

// A service over a simulated Spotify, for tests in another language. Its first line on stdout is
// `{"service":URL,"control":URL}`; a POST of a command to the second changes Spotify. It ends with
// its stdin, so that nothing is left behind whoever started it.

/** What the simulated Spotify is told. */
type Command =
  /** Another library. Faults and counts start afresh. */
  | { do: 'library'; size: LibrarySize }
  /** The `track`th track of the catalogue was played at an instant, in Spotify's own writing. */
  | { do: 'play'; played_at: string; track: number }
  | ({ do: 'fault'; path: string } & Omit<Rule, 'on'>)
  /** Before the `nth` answer of a path: the row at `from` of a list goes, or moves to `to`. */
  | { do: 'move'; path: string; nth: number; list: MovingList; from: number; to?: number }
  /** Gives the library, as the app is sent it. */
  | { do: 'show' }
  /** Gives what the service was asked, in order, and how many requests Spotify got. */
  | { do: 'asked' }

type MovingList = 'tracks' | 'albums' | 'playlists'

const slowest = { headersMs: 5_000, idleMs: 5_000, totalMs: 10_000, connectMs: 5_000 }
const stops: (() => unknown)[] = []
const { app, simulator, listen } = await build(
  { teardown: (stop) => stops.push(stop) },
  { env: { READ_WAIT_BUDGET_MS: '500', STREAM_WAIT_BUDGET_MS: '500' }, timeouts: slowest },
)
const asked: { url: string; authorization: string | null }[] = []
app.addHook('onRequest', async ({ url, headers }) => {
  asked.push({ url, authorization: headers.authorization ?? null })
})

const control = createServer(async (request, response) => {
  try {
    const answer = obey(JSON.parse(await text(request)) as Command)
    response.end(JSON.stringify(answer ?? null))
  } catch (error) {
    response.writeHead(400).end(String(error))
  }
})
stops.push(() => control.close())
control.listen(0, '127.0.0.1')
const service = `http://127.0.0.1:${await listen()}`
const { port } = control.address() as AddressInfo
process.stdout.write(`${JSON.stringify({ service, control: `http://127.0.0.1:${port}` })}\n`)

process.stdin.resume().once('end', async () => {
  for (const stop of stops) await stop()
  process.exit()
})

function obey(command: Command): unknown {
  const { faults, library, stats } = simulator
  switch (command.do) {
    case 'library':
      simulator.library = makeLibrary(command.size)
      faults.clear()
      stats.reset()
      asked.length = 0
      return
    case 'play':
      library.plays.push(makePlay(command.played_at, makeTrack(command.track)))
      return
    case 'fault': {
      const { do: _do, path, times, ...rule } = command
      // JSON has no infinity.
      const ever = (times as number | null) === null ? Number.POSITIVE_INFINITY : times
      faults.add({ ...rule, on: path as On, ...(ever !== undefined && { times: ever }) })
      return
    }
    case 'move': {
      const { path, nth, list, from, to } = command
      faults.beforeAnswer(path, (_request, count) => {
        if (count === nth) move(library[list] as unknown[], from, to)
      })
      return
    }
    case 'show':
      return shown()
    case 'asked':
      return { service: asked, spotify: stats.api }
  }
}

function move(list: unknown[], from: number, to?: number): void {
  const gone = list.splice(from, 1)
  if (to !== undefined) list.splice(to, 0, ...gone)
}

function shown() {
  const { library } = simulator
  const view = viewOf(library)
  const each = <T, V>(list: (T | null)[], see: (item: T) => V) =>
    list.map((item) => item && see(item))
  return {
    user_profile: [view.user(library.me)],
    tracks: each(library.tracks, view.savedTrack),
    albums: each(library.albums, view.savedAlbum),
    playlists: each(library.playlists, view.playlist),
    artists: each(library.artists, view.artist),
    top_tracks: each(library.topTracks.medium_term, view.track),
    top_artists: each(library.topArtists.medium_term, view.artist),
    recently_played: each(library.plays, view.play),
  }
}
