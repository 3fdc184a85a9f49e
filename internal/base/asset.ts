// Text files that belong to the source (SQL, manifests): read beside the source in a tree, inlined by build.mjs.
import { readFileSync } from 'node:fs'

/** The text of `name`, a path relative to the module whose `import.meta.url` is `base`. build.mjs replaces the call by the text. */
export function readAsset(name: string, base: string): string {
  return readFileSync(new URL(name, base), 'utf8')
}
