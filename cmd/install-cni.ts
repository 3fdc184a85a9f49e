// Makes the runtime of this machine use us: the plugin's names first, the network configuration last and at once,
// so that the runtime never finds half of it.

import { readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../internal/base/log.ts'
import { networkNames } from '../internal/ipam/names.ts'
import { storageFault } from '../internal/sqlite/faults.ts'
import { needDirectory } from './make-directory.ts'
import { isPacked, selfCommand } from './self-command.ts'

export interface InstallCniSettings {
  readonly cniBinDir: string
  readonly cniConfDir: string
  readonly portMapping: boolean
}

const configName = '10-tke-eni.conflist'

/** In a network list of ours the first one serves pods of both kinds; the second is for lists that others write. */
const pluginNames = Object.values(networkNames)

/** Idempotent: what is in place is not written again, so that a full disk is no obstacle. Throws `storage`. */
export function installCni(settings: InstallCniSettings, socket: string, log: Log): void {
  needDirectory(settings.cniBinDir)
  for (const name of pluginNames) linkPlugin(join(settings.cniBinDir, name))
  needDirectory(settings.cniConfDir)
  const path = join(settings.cniConfDir, configName)
  write(path, `${JSON.stringify(conflist(settings, socket), null, 2)}\n`)
  log.info('CNI configuration installed', { path })
}

/** What the runtime reads. */
export function conflist({ portMapping }: Pick<InstallCniSettings, 'portMapping'>, socket: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'tke-eni',
    plugins: [
      { type: networkNames.shared, socket },
      ...(portMapping ? [{ type: 'portmap', capabilities: { portMappings: true }, snat: true }] : []),
    ],
  }
}

/** A link to the executable; for a source tree a script that starts it. */
function linkPlugin(path: string): void {
  const quoted = selfCommand().map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  if (!isPacked()) return write(path, `#!/bin/sh\nexec ${quoted.join(' ')} cni\n`, 0o755)
  if (found(() => readlinkSync(path)) === process.execPath) return
  replace(path, (temporary) => symlinkSync(process.execPath, temporary))
}

function write(path: string, text: string, mode = 0o644): void {
  if (found(() => readFileSync(path, 'utf8')) === text) return
  replace(path, (temporary) => writeFileSync(temporary, text, { mode }))
}

function found(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function replace(path: string, make: (temporary: string) => void): void {
  const temporary = `${path}.tmp`
  try {
    rmSync(temporary, { force: true })
    make(temporary)
    renameSync(temporary, path)
  } catch (error) {
    throw storageFault(error, `install "${path}"`, path)
  }
}
