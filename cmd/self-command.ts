// How to start this very program again: the packed executable by itself, a source tree by Node.js and its entry.

/** Set by build.mjs. */
declare const BUILT_FROM: object | undefined

/** The command line up to where a subcommand's name follows. */
export function selfCommand(): readonly [string, ...string[]] {
  const entry = process.argv[1]
  return isPacked() || entry === undefined ? [process.execPath] : [process.execPath, entry]
}

export function isPacked(): boolean {
  return typeof BUILT_FROM !== 'undefined'
}
