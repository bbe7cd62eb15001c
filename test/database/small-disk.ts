import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Test } from 'tap'

/** Why no small disk can be had on this machine, for `skip`; false when it can. */
export const noSmallDisk = tryMount()

/** A disk of 256 kB of its own, which may be filled or made read-only; gone after the test. */
export function mountSmallDisk(t: Test): string {
  const dir = mkdtempSync(`${tmpdir()}/small-disk-`)
  const failure = mount(dir)
  if (failure) throw new Error(failure)
  t.teardown(() => unmount(dir))
  return dir
}

function tryMount(): string | false {
  const dir = mkdtempSync(`${tmpdir()}/small-disk-`)
  const failure = mount(dir)
  if (failure) rmdirSync(dir)
  else unmount(dir)
  return failure && `NOT TESTED HERE, since no disk can be mounted: ${failure}`
}

function mount(dir: string): string | false {
  const { status, stderr, error } = spawnSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    'size=256k',
    'none',
    dir,
  ])
  return status !== 0 && (error?.message ?? String(stderr).trim())
}

function unmount(dir: string): void {
  spawnSync('umount', [dir])
  rmdirSync(dir) // fails when it is still mounted
}
