// The device manager of a real kubelet, as a program (kubelet/main.go): built once, with Go, from the version pinned beside it,
// into a cache outside the tree.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheRoot } from './kube-binaries.ts'
import { output, which } from './service.ts'

const module = join(import.meta.dirname, 'kubelet')

/** Where it is, or will be. */
export function kubeletBinary(): string {
  const hash = createHash('sha256').update(process.arch)
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(module, file)))
  return join(cacheRoot(), `kubelet-devices-${hash.digest('hex').slice(0, 8)}`)
}

/** Builds it when it is not there yet (minutes, and a network, the first time). Throws when that fails. */
export async function buildKubelet(say: (line: string) => void): Promise<void> {
  const binary = kubeletBinary()
  if (existsSync(binary)) return
  const go = which('go')
  if (go === undefined)
    throw new Error('Cannot build the device manager of a kubelet: there is no "go" on PATH')
  say(`building ${binary} (once; minutes)`)
  mkdirSync(dirname(binary), { recursive: true })
  const unfinished = `${binary}.${process.pid}`
  const argv = ['build', '-p', '2', '-trimpath', '-ldflags', '-s -w', '-o', unfinished, '.']
  await output(['nice', go, ...argv], { cwd: module, env: { ...process.env, CGO_ENABLED: '0' } })
  renameSync(unfinished, binary)
}
