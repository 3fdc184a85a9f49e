// What the program must be told about how it is run: from a source tree, or packed into one executable.

export interface Host {
  /** Where better-sqlite3's native part is, put there when it is not yet; undefined: it finds it by itself. */
  nativeBinding(): string | undefined
  /** Were the compiled scripts of the executable usable? undefined in a source tree. */
  readonly codeCache: 'used' | 'rejected' | undefined
}

export const sourceTree: Host = { nativeBinding: () => undefined, codeCache: undefined }
