// The executable that tests run as leader and agents: a copy, so that a build meanwhile does not change it under them.
import { constants, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './service.ts'

/** Path of a copy that goes with the test; `tke-eni-test` is the one with crash points. */
export function copyOfExecutable(name: 'tke-eni' | 'tke-eni-test' = 'tke-eni'): string {
  const copy = join(temporaryFolder('bin'), 'tke-eni')
  copyFileSync(join(import.meta.dirname, '../../dist', name), copy, constants.COPYFILE_FICLONE)
  return copy
}
