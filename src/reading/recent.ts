import { quote } from '../errors.ts'
import { invalidOffset } from './offset.ts'

const version = 1
const tooLong = 900
const instantBytes = 6
const tagBytes = 2

/** A play as it is remembered: its instant in Unix ms, and a few bits of its track's key. */
export type Remembered = { atMs: number; tag: number }

/** The few bits of a track's key that tell apart plays of one instant: FNV-1a, folded to 16 bits. */
export function tagOf(trackKey: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(trackKey)) hash = Math.imul(hash ^ byte, 0x01000193)
  return ((hash >>> 16) ^ hash) & 0xffff
}

/** One text for a remembered play, to look it up by. */
export function nameOf({ atMs, tag }: Remembered): string {
  return `${atMs}/${tag}`
}

/**
 * Packs plays into less than 900 characters, newest first. Where they do not fit, the oldest are
 * left out, but none of `window`: what Spotify still shows would be given again at every call.
 */
export function pack(window: readonly Remembered[], older: readonly Remembered[]): string {
  const kept = new Set(window.map(nameOf))
  const plays = newestFirst([...window, ...older])
  for (;;) {
    const text = encode(plays)
    if (text.length < tooLong) return text
    const oldest = plays.findLastIndex((play) => !kept.has(nameOf(play)))
    plays.splice(oldest === -1 ? plays.length - 1 : oldest, 1)
  }
}

/** The plays of a packed text, newest first. Throws `invalid-offset` when it is not one of ours. */
export function unpack(text: string): Remembered[] {
  const bytes = Buffer.from(text, 'base64url')
  if (text.length >= tooLong || bytes.toString('base64url') !== text || bytes[0] !== version) {
    throw invalidOffset(`its recent is ${quote(text)}, not a packed list of plays`)
  }
  const plays: Remembered[] = []
  let at = 1
  let atMs = 0
  while (at < bytes.length) {
    if (plays.length === 0) {
      if (bytes.length < at + instantBytes) throw cutOff(text)
      atMs = bytes.readUIntBE(at, instantBytes)
      at += instantBytes
    } else {
      let scale = 1
      let byte: number
      do {
        byte = bytes[at++] ?? -1
        if (byte === -1 || scale > 2 ** 49) throw cutOff(text)
        atMs -= (byte & 0x7f) * scale
        scale *= 128
      } while (byte & 0x80)
      if (atMs < 0) throw cutOff(text)
    }
    if (bytes.length < at + tagBytes) throw cutOff(text)
    plays.push({ atMs, tag: bytes.readUInt16BE(at) })
    at += tagBytes
  }
  return plays
}

function newestFirst(plays: readonly Remembered[]): Remembered[] {
  const distinct = new Map(plays.map((play) => [nameOf(play), play]))
  return [...distinct.values()].sort((a, b) => b.atMs - a.atMs || a.tag - b.tag)
}

/** The first instant whole (48 bits), then the steps back in time as LEB128; a tag behind each. */
function encode(plays: readonly Remembered[]): string {
  const bytes: number[] = [version]
  let before: number | undefined
  for (const { atMs, tag } of plays) {
    if (before === undefined) {
      for (let shift = instantBytes - 1; shift >= 0; shift--)
        bytes.push(Math.floor(atMs / 256 ** shift) % 256)
    } else {
      let step = before - atMs
      for (; step >= 128; step = Math.floor(step / 128)) bytes.push((step % 128) | 0x80)
      bytes.push(step)
    }
    bytes.push(tag >> 8, tag & 0xff)
    before = atMs
  }
  return Buffer.from(bytes).toString('base64url')
}

function cutOff(text: string) {
  return invalidOffset(`its recent is ${quote(text)}, which is cut off or changed`)
}
