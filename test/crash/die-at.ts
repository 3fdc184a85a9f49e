// Stands in for cmd/crash-points.ts in test builds: a process kills itself with SIGKILL at a point that was named
//   by TKE_ENI_DIE_AT=leader.cloud.createEni.after[:n], at the n-th time, in every process that has it; or
//   by the folder of crash-folder.ts beside the executable, once, in the first process that gets to one of those points.
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crashFolder, files, type Role } from './crash-folder.ts'
import { around, type CrashPorts, withCrashPoints as decorate } from './crash-points.ts'

const folder = crashFolder(process.execPath)
const seen = new Map<string, number>()

/** A port, or a function, with its crash points. */
export function withCrashPoints<Port extends object>(name: string, port: Port): Port {
  if (typeof port === 'function') {
    return ((...args: unknown[]) =>
      around(name, () => Reflect.apply(port, undefined, args) as Promise<unknown>, reached)) as Port
  }
  return decorate(name as keyof CrashPorts, port as CrashPorts[keyof CrashPorts], reached) as Port
}

/** `settings` with those that the folder has for the role in their place. */
export function withTestWaits<Settings extends object>(role: Role, settings: Settings): Settings {
  const file = join(folder, files.waits(role))
  return existsSync(file) ? { ...settings, ...JSON.parse(readFileSync(file, 'utf8')) } : settings
}

function reached(point: string): boolean {
  const times = (seen.get(point) ?? 0) + 1
  seen.set(point, times)
  note(times === 1 ? 'reached' : 'passed', point)
  if (isWanted(process.env['TKE_ENI_DIE_AT'], point, times) || claims(point)) die()
  return true
}

function isWanted(wish: string | undefined, point: string, times: number): boolean {
  const [name, n = '1'] = wish?.split(':') ?? []
  return name === point && times === Number(n)
}

/** Is the point armed, and are we the first to get there? */
function claims(point: string): boolean {
  const file = join(folder, files.armed(point))
  try {
    if (!readFileSync(file, 'utf8').split('\n').includes(point)) return false
    renameSync(file, `${file}.${process.pid}`)
  } catch {
    return false // nothing is armed, or another process was faster
  }
  note('died', point)
  return true
}

function note(what: 'reached' | 'passed' | 'died', point: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    appendFileSync(join(folder, files.journal), `${what} ${point}\n`)
}

/** Nothing of this process runs after it. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
}
