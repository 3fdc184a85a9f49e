// Makes the runtime of this machine use us: the plugin's names first, the network configuration last and at once,
// so that the runtime never finds half of it.
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../internal/base/log.ts'
import { needDirectory } from './make-directory.ts'
import { isPacked, selfCommand } from './self-command.ts'

export interface InstallCniSettings {
  readonly cniBinDir: string
  readonly cniConfDir: string
  readonly portMapping: boolean
}

const configName = '10-tke-eni.conflist'

/** Idempotent. Throws what the file system throws. */
export function installCni(settings: InstallCniSettings, socket: string, log: Log): void {
  needDirectory(settings.cniBinDir)
  linkPlugin(join(settings.cniBinDir, 'tke-route-eni'))
  needDirectory(settings.cniConfDir)
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

/** A link to the executable; for a source tree a script that starts it. */
function linkPlugin(path: string): void {
  const quoted = selfCommand().map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  replace(path, (temporary) => {
    if (isPacked()) symlinkSync(process.execPath, temporary)
    else writeFileSync(temporary, `#!/bin/sh\nexec ${quoted.join(' ')} cni\n`, { mode: 0o755 })
  })
}

function replace(path: string, write: (temporary: string) => void): void {
  const temporary = `${path}.tmp`
  rmSync(temporary, { force: true })
  write(temporary)
  renameSync(temporary, path)
}
