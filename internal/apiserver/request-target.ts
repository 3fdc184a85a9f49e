// Where a request goes. It is read strictly, so that whatever a path is tested for, raw or parsed, whoever tests it, is what is answered.

export interface Target {
  readonly path: string
  readonly query: URLSearchParams
}

/** undefined when `url` is no path, or one that could be taken for another: with dot segments, empty ones, hidden slashes, or a host. */
export function parseTarget(url: string): Target | undefined {
  const [path = ''] = url.split('?', 1)
  const full = `http://server${url}`
  if (!path.startsWith('/') || ambiguous.test(path) || !URL.canParse(full)) return undefined
  const { pathname, searchParams } = new URL(full)
  return pathname === path ? { path, query: searchParams } : undefined
}

const ambiguous = /\/\/|\\|%2f|%5c/i

/** Asks whether the server lives, which is told to everybody. */
export function isHealth(path: string): boolean {
  return /^\/(healthz|livez|readyz)(\/ping)?$/.test(path)
}
