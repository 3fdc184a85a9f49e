// What the program must be told about how it is run: from a source tree, or packed into one executable.

export interface Host {
  /** Where better-sqlite3's native part is, put there when it is not yet; undefined: it finds it by itself. */
  nativeBinding(): string | undefined
  /** Was the executable's compiled code usable? "none" when it was built on another architecture; undefined in a source tree. */
  readonly codeCache: 'used' | 'rejected' | 'none' | undefined
}

export const sourceTree: Host = { nativeBinding: () => undefined, codeCache: undefined }
