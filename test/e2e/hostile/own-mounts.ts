// File systems that only one test sees: it runs again inside a mount namespace of its own, and what it mounts goes with it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { output } from '../service.ts'

const mark = 'TKE_ENI_OWN_MOUNTS'

/** Runs the test in `file` inside its own mount namespace; returns there alone. */
export function inOwnMounts(file: string): void {
  if (process.env[mark] === file) return
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const again = ['--mount', '--propagation=private', process.execPath, ...process.execArgv, file]
  const { status } = spawnSync('unshare', [...asRoot, ...again], {
    stdio: 'inherit',
    env: { ...process.env, [mark]: file },
  })
  process.exit(status ?? 1)
}

/** A file system of so many bytes at `path`, a folder. */
export async function mountDisk(path: string, bytes: number): Promise<void> {
  await output(['mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=755`, 'tmpfs', path])
}

/** Rejects while a file on it is open for writing. */
export async function remount(path: string, how: 'ro' | 'rw'): Promise<void> {
  await output(['mount', '-o', `remount,${how}`, path])
}

/** Also when somebody still has it open. */
export async function unmount(path: string): Promise<void> {
  await output(['umount', '--lazy', path])
}

export const ballastOf = (path: string): string => join(path, 'ballast')
