// What the program must be told about how it is run: from a source tree, or packed into one executable.

export interface Host {
  /** better-sqlite3's native part, as it is inside the executable; undefined: it finds it by itself. */
  nativeLibrary(): Buffer | undefined
  /** Was the executable's compiled code usable? "none" when it was built on another architecture; undefined in a source tree. */
  readonly codeCache: 'used' | 'rejected' | 'none' | undefined
}

export const sourceTree: Host = { nativeLibrary: () => undefined, codeCache: undefined }
