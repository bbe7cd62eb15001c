import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { On, Rule } from '../../src/simulator/faults.ts'
import { type LibrarySize, makeLibrary, makePlay, makeTrack } from '../../src/simulator/library.ts'
import { viewOf } from '../../src/simulator/mode.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { build } from '../helpers/build.ts'

// A service over a simulated Spotify, for tests in another language. Its line on stdout is
// the URL to POST commands to. It ends with its stdin, so that nothing is left behind whoever
// started it.

/** What the simulated Spotify is told. */
type Command =
  /** A new service over the default library, which knows of no rate limit; gives its URL. */
  | { do: 'start' }
  /** Another library; faults end, and what was asked is forgotten. */
  | { do: 'library'; size: LibrarySize }
  /** The `track`th track of the catalogue was played at an instant, in Spotify's own writing. */
  | { do: 'play'; played_at: string; track: number }
  | ({ do: 'fault'; path: string } & Omit<Rule, 'on'>)
  /** Before the `nth` answer of a path: the row at `from` of a list goes, or moves to `to`. */
  | { do: 'move'; path: string; nth: number; list: MovingList; from: number; to?: number }
  /** Gives the library, as the app is sent it. */
  | { do: 'show' }
  /** Gives what the service was asked since then, in order. */
  | { do: 'asked' }

type MovingList = 'tracks' | 'albums' | 'playlists'

const slowest = { headersMs: 5_000, idleMs: 5_000, totalMs: 10_000, connectMs: 5_000 }
const spotify = await startSimulator()
let asked: { url: string; authorization: string | null }[] = []
let stopService = async () => {}

const control = createServer(async (request, response) => {
  try {
    const answer = await obey(JSON.parse(await text(request)) as Command)
    response.end(JSON.stringify(answer ?? null))
  } catch (error) {
    response.writeHead(400).end(String(error))
  }
})
control.listen(0, '127.0.0.1', () => {
  const { port } = control.address() as AddressInfo
  process.stdout.write(`http://127.0.0.1:${port}\n`)
})

process.stdin.resume().once('end', async () => {
  await stopService()
  await spotify.close()
  process.exit()
})

async function startService(): Promise<string> {
  await stopService()
  setLibrary({})
  const { app, listen, close } = await build(
    { teardown() {} },
    {
      spotify,
      env: { READ_WAIT_BUDGET_MS: '500', STREAM_WAIT_BUDGET_MS: '500' },
      timeouts: slowest,
    },
  )
  app.addHook('onRequest', async ({ url, headers }) => {
    asked.push({ url, authorization: headers.authorization ?? null })
  })
  stopService = close
  return `http://127.0.0.1:${await listen()}`
}

function setLibrary(size: LibrarySize): void {
  spotify.library = makeLibrary(size)
  spotify.faults.clear()
  asked = []
}

function obey(command: Command): unknown {
  const { faults, library } = spotify
  switch (command.do) {
    case 'start':
      return startService()
    case 'library':
      return setLibrary(command.size)
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
      return asked
  }
}

function move(list: unknown[], from: number, to?: number): void {
  const gone = list.splice(from, 1)
  if (to !== undefined) list.splice(to, 0, ...gone)
}

function shown() {
  const { library } = spotify
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
