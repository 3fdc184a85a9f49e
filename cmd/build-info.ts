// What this program is made of: known to build.mjs for the executable, looked up in a source tree.
import { readAsset } from '../internal/base/asset.ts'
import { openDatabase } from '../internal/sqlite/database.ts'

export interface BuildInfo {
  readonly version: string
  /** Of the source, when it was built from a Git checkout; "-dirty" when that had changes. */
  readonly commit: string | undefined
  readonly node: string
  readonly sqlite: string
}

/** Set by build.mjs; an executable's `version` then unpacks nothing. */
declare const BUILT_FROM: { readonly commit: string | null; readonly sqlite: string } | undefined

export function buildInfo(): BuildInfo {
  const { version } = JSON.parse(readAsset('../package.json', import.meta.url)) as { version: string }
  const node = process.versions.node
  if (typeof BUILT_FROM !== 'undefined') {
    return { version, commit: BUILT_FROM.commit ?? undefined, node, sqlite: BUILT_FROM.sqlite }
  }
  return { version, commit: undefined, node, sqlite: sqliteVersion() }
}

function sqliteVersion(): string {
  const database = openDatabase({ path: ':memory:', kind: 'version', migrations: [] })
  try {
    return database.get<{ version: string }>('SELECT sqlite_version() AS version')?.version ?? 'unknown'
  } finally {
    database.close()
  }
}
