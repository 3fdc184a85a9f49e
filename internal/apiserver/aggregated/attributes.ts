// What a request wants, in the words of authorization.
import { verbOf } from '../api.ts'
import { parseResourcePath } from '../request-path.ts'
import { parseTarget } from '../request-target.ts'
import { pinnedName } from '../selector.ts'

export type Attributes =
  | {
      readonly verb: string
      readonly group: string
      readonly version: string
      readonly resource: string
      readonly subresource: string
      readonly namespace: string
      readonly name: string
    }
  | { readonly verb: string; readonly path: string }

/** undefined: `url` is no path. */
export function attributesOf(method: string, url: string): Attributes | undefined {
  const target = parseTarget(url)
  if (target === undefined) return undefined
  const { query } = target
  const path = parseResourcePath(target.path)
  if (path === undefined) return { verb: method.toLowerCase(), path: target.path }
  const { group, version, resource, subresource, namespace = '' } = path
  const verb = verbOf(method, { path, query }) ?? method.toLowerCase()
  const name = path.name ?? (verb === 'list' || verb === 'watch' ? onlyName(query) : '')
  return { verb, group, version, resource, subresource, namespace, name }
}

/** A rule with resourceNames is about a list or watch of that name alone, too: as kubectl asks for one (RequestInfo of the API server). */
function onlyName(query: URLSearchParams): string {
  const name = pinnedName(query.get('fieldSelector')) ?? ''
  return name === '.' || name === '..' || /[/%]/.test(name) ? '' : name
}

/** "delete resource "vpcipclaims" in API group …", as the API server words it. */
export function wordsOf(attributes: Attributes): string {
  if ('path' in attributes) return `${attributes.verb} path "${attributes.path}"`
  const { verb, group, resource, subresource, namespace } = attributes
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return `${verb} resource "${what}" in API group "${group}" ${where}`
}
