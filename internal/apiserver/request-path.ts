// Splits a request path by the API's conventions: group, version, namespace, resource, name, subresource.

export interface ResourcePath {
  readonly group: string
  readonly version: string
  readonly resource: string
  /** undefined: all namespaces, or a resource that lives in none. */
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string
  /** Written as /watch/...: the old way to ask for a watch. */
  readonly watch: boolean
}

/** The resource that `path` names, or undefined when it is not the path of a resource. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  const steps = safelyDecoded(parts)
  if (steps === undefined) return undefined
  const root = steps.shift()
  const group = root === 'api' ? '' : root === 'apis' ? steps.shift() : undefined
  const version = steps.shift()
  if (group === undefined || version === undefined) return undefined
  const watch = steps[0] === 'watch'
  if (watch) steps.shift()
  // /namespaces/x is a namespace itself; /namespaces/x/pods is inside it, but status and finalize belong to it.
  let namespace: string | undefined
  const third = steps[2]
  if (steps[0] === 'namespaces' && third !== undefined && third !== 'status' && third !== 'finalize') {
    namespace = steps[1]
    steps.splice(0, 2)
  }
  const [resource, name, subresource = '', ...rest] = steps
  if (resource === undefined || rest.length > 0) return undefined
  return { group, version, resource, namespace, name, subresource, watch }
}

function safelyDecoded(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map(decodeURIComponent)
  } catch {
    return undefined
  }
}
