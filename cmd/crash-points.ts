// Where a process may die when a test wants it to: nowhere; and how long it waits for things then: as long as ever. A test build
// has test/crash/die-at.ts in place of this file (build.mjs --test-build).

/** `port` as it is. */
export function withCrashPoints<Port>(_name: string, port: Port): Port {
  return port
}

/** `settings` as they are. */
export function withTestWaits<Settings extends object>(
  _role: 'leader' | 'node',
  settings: Settings,
): Settings {
  return settings
}
