// Where better-sqlite3's native part is: found by itself in a source tree, told once by the packed executable.

let path: string | undefined

export function useNativeBinding(at: string): void {
  path = at
}

/** For better-sqlite3's constructor. */
export function nativeBindingOption(): { nativeBinding?: string } {
  return path === undefined ? {} : { nativeBinding: path }
}
