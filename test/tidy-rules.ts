// The house rules that a program can check, as pure functions from the text of the sources to complaints.
import { posix } from 'node:path'

/** Path from the repository's root to text. */
export type Sources = ReadonlyMap<string, string>

const core = ['ipam', 'value']
const common = ['base', ...core]
const adapter = ['ports', 'wire', ...common]

/** What each part of the source may import besides itself. Adapters see neither each other nor the loops; only cmd sees all. */
const mayImport: Readonly<Record<string, readonly string[] | 'all'>> = {
  value: [],
  base: ['value'],
  ipam: ['value'],
  ports: core,
  wire: common,
  sqlite: common,
  leader: ['ports', ...common],
  node: ['ports', 'wire', ...common], // its front door speaks CNI
  store: ['sqlite', ...adapter],
  apiserver: ['sqlite', ...adapter],
  sim: ['sqlite', ...adapter],
  kube: adapter,
  kubelet: adapter,
  vpc: adapter,
  linux: adapter,
  migrations: ['base', 'sqlite'],
  cmd: 'all',
}

/** The one part that knows each package. */
const owners: Readonly<Record<string, string>> = {
  'better-sqlite3': 'sqlite',
  '@kubernetes/client-node': 'kube',
  '@grpc/grpc-js': 'kubelet',
  'tencentcloud-sdk-nodejs': 'vpc',
  'node:child_process': 'linux',
  pino: 'base',
  commander: 'cmd',
  zod: 'wire',
  yaml: 'wire',
}

const ambient = /\b(?:Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.now|hrtime)\b/
const bannedCalls = [
  { what: ambient, instead: 'take a Clock or a Random' },
  { what: /\bnew Date\(\)/, instead: 'take a Clock' },
  { what: /'(?:node:)?timers\/promises'/, instead: 'take a Clock' },
  { what: /\bconsole\./, instead: 'take a Log' },
]

/** The part of the source that a path belongs to: the folder below internal/, a top folder, or "ports". */
export function partOf(path: string): string {
  const [top = '', below = ''] = path.split('/')
  return top === 'internal' ? below.replace(/\.ts$/, '') : top
}

/** Imports against the direction, and packages outside the part that owns them. */
export function importFaults(sources: Sources): string[] {
  const faults = codeOf(sources).flatMap(([path, text]) =>
    importsOf(text).flatMap((target) => importFault(path, target) ?? []),
  )
  return [...new Set(faults)]
}

/** Ambient time and chance, and printing, in internal/ (base owns the doors to them). */
export function callFaults(sources: Sources): string[] {
  const guarded = codeOf(sources).filter(
    ([path]) => path.startsWith('internal/') && partOf(path) !== 'base' && path.endsWith('.ts'),
  )
  return guarded.flatMap(([path, text]) =>
    bannedCalls.flatMap(({ what, instead }) => {
      const found = what.exec(withoutComments(text))?.[0]
      return found === undefined ? [] : `${path}: ${found}: ${instead}`
    }),
  )
}

/** Names of source files and their folders that are not kebab-case. */
export function nameFaults(paths: Iterable<string>): string[] {
  const good = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/
  const checked = [...paths].filter((path) => /\.(?:ts|mjs|sh)$/.test(path))
  return checked.filter((path) => !path.split('/').every((name) => good.test(name)))
}

// In two parts each, so that this file does not complain about itself.
const literal = (...parts: readonly string[]) => parts.join('').replaceAll('.', '\\.')
const bannedText = [
  { what: new RegExp(`\\b${literal('FIX', 'ME')}\\b`), why: 'mend it, or open an issue and write TODO(#n)' },
  { what: new RegExp(`\\b${literal('TO', 'DO')}\\b(?!\\(#(?:\\d+|n)\\))`), why: 'name an issue: TODO(#n)' },
  {
    what: new RegExp(`\\b(?:it|test|describe)\\.${literal('on', 'ly')}\\b`),
    why: 'the other tests would not run',
  },
  { what: new RegExp(literal('/wo', 'rk/')), why: 'a path of one machine' },
  { what: new RegExp(literal('/ro', 'ot/')), why: 'a path of one machine' },
  { what: new RegExp(`${literal('/ho', 'me/')}[a-z]`), why: 'a path of one machine' },
  { what: new RegExp(literal('/Use', 'rs/')), why: 'a path of one machine' },
  ...[
    ['registry.', 'npmjs'],
    ['deb.', 'debian'],
    ['proxy.', 'golang'],
    ['sum.', 'golang'],
    ['pypi.', 'org'],
    ['files.', 'pythonhosted'],
  ].map((parts) => ({ what: new RegExp(literal(...parts)), why: 'the host of a package registry' })),
]

/** Words that no file of the repository may have. */
export function textFaults(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) =>
    bannedText.flatMap(({ what, why }) => {
      const at = text.search(what)
      return at < 0 ? [] : `${path}:${text.slice(0, at).split('\n').length}: ${what.source}: ${why}`
    }),
  )
}

function importFault(path: string, target: string): string | undefined {
  const part = partOf(path)
  if (!target.startsWith('.')) {
    const owner = Object.entries(owners).find(([name]) => target === name || target.startsWith(`${name}/`))
    if (owner === undefined)
      return target.startsWith('node:') ? undefined : `${path}: "${target}" has no owner in tidy-rules.ts`
    return owner[1] === part ? undefined : `${path}: "${target}" belongs to ${owner[1]} alone`
  }
  const other = partOf(posix.normalize(posix.join(posix.dirname(path), target)))
  if (other === part) return undefined
  const allowed = mayImport[part]
  if (allowed === undefined) return `${path}: "${part}" has no place in tidy-rules.ts`
  return allowed === 'all' || allowed.includes(other)
    ? undefined
    : `${path}: ${part} must not import ${other}`
}

function importsOf(text: string): string[] {
  const statement =
    /^(?:import|export)\b[^'"`;=]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm
  return [...text.matchAll(statement)].flatMap((found) => found[1] ?? found[2] ?? found[3] ?? [])
}

/** The product's own code: not its tests. */
function codeOf(sources: Sources): [string, string][] {
  return [...sources].filter(([path]) => /^(?:cmd|internal|migrations)\/.*\.ts$/.test(path))
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
}
