// Stands in for cli.ts inside the executable: the rest of the program lies beside it as assets, compiled, and is loaded
// only when it is not a plugin call. The big packages are assets of their own, loaded on their first use.
import { createRequire } from 'node:module'
import { getAssetKeys, getRawAsset } from 'node:sea'
import { Script } from 'node:vm'
import type * as Cli from './cli.ts'

type Require = (name: string) => unknown
type Bundle = (exports: object, require: Require, module: { exports: object }) => void

/** As cli.ts's. */
export function run(args: readonly string[]): Promise<number> {
  const bundles = new Set(getAssetKeys())
  const loaded = new Map<string, object>()
  const requireFromDisk = createRequire(process.execPath) // Node's own modules, and better-sqlite3's native part
  let codeCache: 'used' | 'rejected' | 'none' = 'used'

  function load(name: string): object {
    const known = loaded.get(name)
    if (known !== undefined) return known
    const script = new Script(text(`${name}.cjs`), {
      filename: `tke-eni:${name}.cjs`,
      ...(bundles.has(`${name}.cache`) ? { cachedData: bytes(`${name}.cache`) } : {}),
    })
    if (script.cachedDataRejected !== false) codeCache = script.cachedDataRejected ? 'rejected' : 'none'
    const module = { exports: {} }
    loaded.set(name, module.exports)
    ;(script.runInThisContext() as Bundle)(module.exports, require, module)
    loaded.set(name, module.exports)
    return module.exports
  }

  const require: Require = (name) => (bundles.has(`${name}.cjs`) ? load(name) : requireFromDisk(name))
  const cli = load('app') as typeof Cli
  return cli.run(args, {
    nativeLibrary: () => bytes('better_sqlite3.node'),
    get codeCache() {
      return codeCache
    },
  })
}

function bytes(asset: string): Buffer {
  return Buffer.from(getRawAsset(asset))
}

/** Bundles are ASCII: one byte a character, in the file and in memory. */
function text(asset: string): string {
  return bytes(asset).toString('latin1')
}
