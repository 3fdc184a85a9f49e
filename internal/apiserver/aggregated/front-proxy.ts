// Who asks: the cluster's API server proves itself by its certificate, and says in headers for whom it speaks.
/** What a cluster publishes about its API server's proxying: ConfigMap kube-system/extension-apiserver-authentication. */
export interface FrontProxy {
  /** PEM of the authorities of its client certificate. */
  readonly clientCa: string
  /** Common names that its certificate may have; any when empty. */
  readonly allowedNames: readonly string[]
  readonly userHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly extraPrefixes: readonly string[]
}

/** Each line of a header by itself: one that is joined with others could be taken for several groups. Names in lower case. */
export type HeaderLines = Readonly<Record<string, readonly string[] | undefined>>

export interface Identity {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

const anonymous = 'system:anonymous'
const unauthenticated = 'system:unauthenticated'
const authenticated = 'system:authenticated'

/** May whoever shows a certificate of this common name, which one of `clientCa` has signed, speak for others? */
export function mayProxy({ allowedNames }: FrontProxy, commonName: string): boolean {
  return allowedNames.length === 0 || allowedNames.includes(commonName)
}

/** For whom the front proxy speaks; undefined when it does not say. */
export function identityIn(headers: HeaderLines, proxy: FrontProxy): Identity | undefined {
  const user = first(headers, proxy.userHeaders)
  if (user === undefined || user === '') return undefined
  const given = proxy.groupHeaders.flatMap((name) => values(headers, name))
  const known = user !== anonymous && !given.includes(unauthenticated) && !given.includes(authenticated)
  return {
    user,
    uid: first(headers, proxy.uidHeaders) ?? '',
    groups: known ? [...given, authenticated] : given,
    extra: extraIn(headers, proxy.extraPrefixes),
  }
}

function first(headers: HeaderLines, names: readonly string[]): string | undefined {
  return names.flatMap((name) => values(headers, name))[0]
}

function values(headers: HeaderLines, name: string): readonly string[] {
  return headers[name.toLowerCase()] ?? []
}

function extraIn(headers: HeaderLines, prefixes: readonly string[]): Identity['extra'] {
  const extra: Record<string, readonly string[]> = {}
  for (const name of Object.keys(headers)) {
    const prefix = prefixes.find((each) => name.startsWith(each.toLowerCase()))
    if (prefix !== undefined) extra[decoded(name.slice(prefix.length))] = values(headers, name)
  }
  return extra
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
