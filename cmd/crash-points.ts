// Where a process may die when a test wants it to: nowhere. A test build has test/crash/die-at.ts in place of this file
// (build.mjs --test-build).

/** `port` as it is. */
export function withCrashPoints<Port>(_name: string, port: Port): Port {
  return port
}
