// Makes the runtime of this machine use us: the plugin's names first, the network configuration last and at once,
// so that the runtime never finds half of it.
import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../internal/base/log.ts'

export interface InstallCniSettings {
  readonly cniBinDir: string
  readonly cniConfDir: string
  readonly portMapping: boolean
}

const configName = '10-tke-eni.conflist'

/** Idempotent. Throws what the file system throws. */
export function installCni(settings: InstallCniSettings, socket: string, log: Log): void {
  mkdirSync(settings.cniBinDir, { recursive: true })
  for (const name of ['tke-route-eni']) linkPlugin(join(settings.cniBinDir, name))
  mkdirSync(settings.cniConfDir, { recursive: true })
  const path = join(settings.cniConfDir, configName)
  replace(path, (temporary) =>
    writeFileSync(temporary, `${JSON.stringify(conflist(settings, socket), null, 2)}\n`),
  )
  log.info('CNI configuration installed', { path })
}

/** What the runtime reads. */
export function conflist({ portMapping }: Pick<InstallCniSettings, 'portMapping'>, socket: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'tke-eni',
    plugins: [
      { type: 'tke-route-eni', socket },
      ...(portMapping ? [{ type: 'portmap', capabilities: { portMappings: true }, snat: true }] : []),
    ],
  }
}

function linkPlugin(path: string): void {
  try {
    if (readlinkSync(path) === process.execPath) return
  } catch {
    // not there, or no link: it is replaced
  }
  replace(path, (temporary) => symlinkSync(process.execPath, temporary))
}

function replace(path: string, write: (temporary: string) => void): void {
  const temporary = `${path}.tmp`
  rmSync(temporary, { force: true })
  write(temporary)
  renameSync(temporary, path)
}
