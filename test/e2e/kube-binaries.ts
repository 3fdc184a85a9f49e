// Where a real kube-apiserver, etcd and kubectl come from: the folder KUBEBUILDER_ASSETS names, or built once, with Go, from
// the versions pinned in kube-apiserver/go.mod into a cache outside the tree.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { output, run, which } from './service.ts'

const names = ['etcd', 'kube-apiserver', 'kubectl'] as const
const packages: Readonly<Record<(typeof names)[number], string>> = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
}
const module = join(import.meta.dirname, 'kube-apiserver')
const attempts = 3

export interface KubeBinaries {
  readonly folder: string
  readonly etcd: string
  readonly apiserver: string
  readonly kubectl: string
}

/** What can be had without building; undefined when there is none yet, or KUBEBUILDER_ASSETS lacks a binary. */
export function readyKubeBinaries(): KubeBinaries | undefined {
  const folder = givenFolder() ?? cacheFolder()
  return names.every((name) => existsSync(join(folder, name))) ? binariesIn(folder) : undefined
}

/** The binaries, built now when they are not there yet (minutes, and a network, the first time). Throws when that fails. */
export async function kubeBinaries(say: (line: string) => void = () => {}): Promise<KubeBinaries> {
  const ready = readyKubeBinaries()
  if (ready !== undefined) return ready
  const given = givenFolder()
  if (given !== undefined)
    throw new Error(`Cannot use KUBEBUILDER_ASSETS: "${given}" does not have all of ${names.join(', ')}`)
  const go = which('go')
  if (go === undefined) throw new Error('Cannot build kube-apiserver: there is no "go" on PATH')
  const folder = cacheFolder()
  const unfinished = `${folder}.${process.pid}`
  say(`building ${names.join(', ')} ${kubernetesVersion()} into ${folder} (once; minutes)`)
  try {
    mkdirSync(unfinished, { recursive: true })
    for (const name of names) await build(go, packages[name], join(unfinished, name), say)
    // Somebody else may have finished first; theirs is as good.
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return binariesIn(folder)
}

/** The pinned version, such as "v1.34.4". */
export function kubernetesVersion(): string {
  const version = /^require k8s\.io\/kubernetes (\S+)|^\tk8s\.io\/kubernetes (v\S+)/m.exec(pins())
  return version?.[1] ?? version?.[2] ?? 'unknown'
}

/** Downloads can fail for a moment, and what was compiled is kept: so a few attempts, the last one's fault is thrown. */
async function build(go: string, name: string, to: string, say: (line: string) => void): Promise<void> {
  const version = kubernetesVersion()
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  const stamp = { gitVersion: version, gitMajor: major, gitMinor: minor }
  const flags = Object.entries(stamp).map(
    ([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`,
  )
  const argv = ['build', '-p', '2', '-trimpath', '-ldflags', ['-s', '-w', ...flags].join(' '), '-o', to, name]
  const options = { cwd: module, env: { ...process.env, CGO_ENABLED: '0' } }
  for (let attempt = 1; attempt < attempts; attempt++) {
    const { code, stderr } = await run(['nice', go, ...argv], options)
    if (code === 0) return
    say(
      `attempt ${attempt} of ${attempts} to build ${name} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`,
    )
  }
  await output(['nice', go, ...argv], options)
}

function givenFolder(): string | undefined {
  return process.env['KUBEBUILDER_ASSETS'] || undefined
}

/** Where what was built for the tests is kept. */
export function cacheRoot(): string {
  const fallback = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tke-eni')
  return process.env['TKE_ENI_CACHE'] ?? fallback
}

function cacheFolder(): string {
  const pinned = createHash('sha256').update(pins()).update(process.arch).digest('hex').slice(0, 8)
  return join(cacheRoot(), `kube-${kubernetesVersion()}-${pinned}`)
}

function pins(): string {
  return readFileSync(join(module, 'go.mod'), 'utf8') + readFileSync(join(module, 'go.sum'), 'utf8')
}

function binariesIn(folder: string): KubeBinaries {
  return {
    folder,
    etcd: join(folder, 'etcd'),
    apiserver: join(folder, 'kube-apiserver'),
    kubectl: join(folder, 'kubectl'),
  }
}
