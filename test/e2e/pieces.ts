// What the end-to-end tests need of the machine they run on, and how to get it: a test whose piece is absent is skipped, and
// says so.
import { existsSync, readFileSync } from 'node:fs'
import { readyKubeBinaries } from './kube-binaries.ts'
import { kubeletBinary } from './kubelet-binary.ts'
import { which } from './service.ts'

interface Piece {
  readonly here: () => boolean
  readonly get: string
}

const debian = (name: string) => `apt-get install ${name}`
const command = (name: string, get: string): Piece => ({ here: () => which(name) !== undefined, get })

const pieces = {
  root: { here: () => process.getuid?.() === 0, get: 'run the tests as root' },
  'kube-apiserver': {
    here: () => readyKubeBinaries() !== undefined,
    get: 'install Go 1.24 or newer and run "npm run test:e2e", which builds it once, or point KUBEBUILDER_ASSETS at a folder with etcd, kube-apiserver and kubectl',
  },
  'kubelet-devices': {
    here: () => existsSync(kubeletBinary()),
    get: 'install Go 1.24 or newer and run "npm run test:e2e", which builds it once',
  },
  unshare: command('unshare', debian('util-linux')),
  containerd: command('containerd', debian('containerd')),
  runc: command('runc', debian('runc')),
  busybox: { here: () => isStatic(which('busybox')), get: debian('busybox-static') },
  'cni-plugins': { here: () => existsSync('/usr/lib/cni/ptp'), get: debian('containernetworking-plugins') },
  iptables: command('iptables', debian('iptables')),
  nftables: command('nft', debian('nftables')),
  iproute2: command('ip', debian('iproute2')),
  sqlite3: command('sqlite3', debian('sqlite3')),
  cc: command('cc', debian('gcc')),
  executable: {
    here: () => existsSync(new URL('../../dist/tke-eni', import.meta.url)),
    get: 'npm run build',
  },
  'test-build': {
    here: () => existsSync(new URL('../../dist/tke-eni-test', import.meta.url)),
    get: 'node build.mjs --test-build',
  },
} satisfies Record<string, Piece>

export type PieceName = keyof typeof pieces

export const allPieces = Object.keys(pieces) as readonly PieceName[]

/** Those of `names` that this machine does not have. */
export function missingPieces(...names: readonly PieceName[]): readonly PieceName[] {
  return names.filter((name) => !pieces[name].here())
}

/** How to get a piece. */
export function remedyOf(name: PieceName): string {
  return pieces[name].get
}

/** For the `skip` option of a test: false when nothing is missing, otherwise what is and how to get it. */
export function explainSkip(missing: readonly PieceName[]): string | false {
  if (missing.length === 0) return false
  return missing.map((name) => `no ${name}: ${remedyOf(name)}`).join('; ')
}

/** A program that needs no dynamic linker runs in an empty root file system. */
function isStatic(program: string | undefined): boolean {
  return program !== undefined && !readFileSync(program).includes('/ld-linux')
}
