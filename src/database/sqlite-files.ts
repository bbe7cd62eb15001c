import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** A database's files, the database itself last. */
const suffixes = ['-journal', '-wal', '-shm', '']

/**
 * Makes an empty file (0600, whatever the umask) and the directories above it (0700), where they
 * are not there yet. What is there stays as it is.
 */
export function makePrivateFile(path: string): void {
  makePrivateDirectory(dirname(path))
  unlessThere(() => closeSync(openSync(path, 'wx', 0o600)))
}

/**
 * The regular file that a path leads to, perhaps by a symbolic link (SQLite keeps its other files
 * beside the file, not beside the link), and the file's inode. Throws when there is none.
 */
export function findFile(path: string): { file: string; inode: number } {
  const file = realpathSync(path)
  const stats = statSync(file)
  if (stats.isDirectory()) throw new Error('it is a directory')
  // Opening a pipe would wait for ever.
  if (!stats.isFile()) throw new Error('it is no regular file')
  return { file, inode: stats.ino }
}

/** Takes the rights of everybody but the owner from a database's files. */
export function makePrivate(file: string): void {
  for (const suffix of suffixesOf(file)) {
    if (statSync(file + suffix).mode & 0o177) chmodSync(file + suffix, 0o600)
  }
}

/**
 * Renames a database's files to a name in the same directory that is free, and returns that name;
 * null when `file` is not the one with this inode any more: another process was faster.
 */
export function keepAside(file: string, inode: number): string | null {
  let n = 1
  while (suffixesOf(`${file}.unreadable-${n}`).length > 0) n++
  const aside = `${file}.unreadable-${n}`
  if (statSync(file, { throwIfNoEntry: false })?.ino !== inode) return null
  makePrivate(file) // a damaged database may hold tokens
  // The database goes last: should this be cut short, the next start finds it and goes on.
  for (const suffix of suffixesOf(file)) renameSync(file + suffix, aside + suffix)
  return aside
}

function suffixesOf(file: string): string[] {
  return suffixes.filter((suffix) => existsSync(file + suffix))
}

// Node's own `recursive` never returns where a system refuses by ENOENT, as below /proc (26.10.0).
function makePrivateDirectory(path: string): void {
  if (existsSync(path)) return
  makePrivateDirectory(dirname(path))
  unlessThere(() => mkdirSync(path, 0o700))
}

/** Another process that starts at the same time may be the one that makes it. */
function unlessThere(make: () => void): void {
  try {
    make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
