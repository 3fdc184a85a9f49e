// npm run test:e2e: prepares what the end-to-end tests need, says what is absent and how to get it, and runs every *.e2e.ts.
// Arguments: parts of file names to run only those, --without=PART to leave those out; --require-all to fail instead of skipping.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join, relative } from 'node:path'
import { kubeBinaries } from './kube-binaries.ts'
import { buildKubelet } from './kubelet-binary.ts'
import { allPieces, missingPieces, remedyOf } from './pieces.ts'
import { output, which } from './service.ts'

/** They wait more than they work. */
const patient = [
  'cascade',
  'claims',
  'crash-matrix',
  'eips',
  'exclusive',
  'expiry',
  'failover',
  'kube-contract',
  'kube-ports',
  'kubelet-devices',
  'nec-admission',
  'node-rebuild',
  'recover',
  'static',
  'static-ip',
  'static-zones',
]
/** So many of them at once, on two cores. */
const together = 3

const root = join(import.meta.dirname, '../..')
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unwanted = process.argv.flatMap((argument) => /^--without=(.+)/.exec(argument)?.[1] ?? [])
const requireAll = process.argv.includes('--require-all')
const say = (line: string) => process.stdout.write(`${line}\n`)

const faults: string[] = []
const given = process.env['KUBEBUILDER_ASSETS']
if (given || which('go') !== undefined) {
  // An old Go or no network is no fault of the product: what needs the server is skipped. A wrong setting is one.
  await attempt(() => kubeBinaries(say), given ? faults : undefined)
}
if (which('go') !== undefined) await attempt(() => buildKubelet(say), undefined)
for (const flags of [[], ['--test-build']]) {
  await attempt(() => output([process.execPath, join(root, 'build.mjs'), ...flags], { cwd: root }), faults)
}

const missing = missingPieces(...allPieces)
for (const name of missing) say(`absent: ${name}. To run the tests that need it: ${remedyOf(name)}`)
if (requireAll && missing.length > 0) {
  say(`Cannot run all end-to-end tests: ${missing.join(', ')} absent`)
  process.exit(1)
}

const files = globSync('**/*.e2e.ts', { cwd: import.meta.dirname })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .filter((file) => !unwanted.some((part) => file.includes(part)))
  .toSorted()
  .map((file) => relative(process.cwd(), join(import.meta.dirname, file)))
if (files.length === 0) {
  say(`Cannot run "${wanted.join(' ')}": no *.e2e.ts has that in its name`)
  process.exit(1)
}
// One file at a time: each starts servers, and some measure. Those that mostly wait do so together.
const isPatient = (file: string) => patient.some((name) => file.endsWith(`/${name}.e2e.ts`))
const passed = [
  runFiles(together, files.filter(isPatient)),
  runFiles(
    1,
    files.filter((file) => !isPatient(file)),
  ),
].every(Boolean)
if (missing.length > 0) say(`skipped: the tests that need ${missing.join(', ')}`)
for (const fault of faults) say(fault)
process.exit(faults.length > 0 || !passed ? 1 : 0)

/** Whether all of them passed. */
function runFiles(atOnce: number, some: readonly string[]): boolean {
  if (some.length === 0) return true
  const flags = ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=600000', '--test-reporter=spec']
  return spawnSync(process.execPath, [...flags, ...some], { stdio: 'inherit' }).status === 0
}

/** Makes a piece that can be made. What does not need it runs all the same; with `faults` the whole has failed. */
async function attempt(make: () => Promise<unknown>, into: string[] | undefined): Promise<void> {
  try {
    await make()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    say(message)
    into?.push(message)
  }
}
