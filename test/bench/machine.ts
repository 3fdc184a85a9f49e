// The machine of a run, as far as it matters to the figures.
import { statfsSync } from 'node:fs'
import { arch, cpus, loadavg, release } from 'node:os'

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly architecture: string
  readonly kernel: string
  /** File system of the databases. */
  readonly fileSystem: string
  /** Processes that wanted a core in the last minute, before the run. */
  readonly load: number
}

const knownFileSystems: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlayfs',
}

export function describeMachine(directory: string): Machine {
  const { type } = statfsSync(directory)
  const processors = cpus()
  return {
    cores: processors.length,
    processor: processors[0]?.model ?? 'unknown',
    architecture: arch(),
    kernel: release(),
    fileSystem: knownFileSystems[type] ?? `type ${type}`,
    load: loadavg()[0] ?? 0,
  }
}

export function machineAsText(machine: Machine): string {
  const { cores, processor, architecture, kernel, fileSystem, load } = machine
  const busy = load > cores / 2 ? `, busy with other work (load ${load.toFixed(1)})` : ''
  return `${cores} cores (${processor}), ${architecture}, Linux ${kernel}, databases on ${fileSystem}${busy}`
}
