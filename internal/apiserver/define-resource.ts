// Fills in what most resources have in common.
import { plainPrinter } from './printers.ts'
import type { ResourceType, Verb } from './resource.ts'

const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

const open = {
  type: 'object',
  description: 'As in Kubernetes; this server keeps it without knowing its fields.',
  'x-kubernetes-preserve-unknown-fields': true,
}

type Given = Pick<ResourceType, 'group' | 'version' | 'resource' | 'kind' | 'namespaced'> &
  Partial<ResourceType>

export function defineResource(given: Given): ResourceType {
  return {
    singular: given.kind.toLowerCase(),
    listKind: `${given.kind}List`,
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    hasStatus: false,
    countsGenerations: false,
    unconditionalUpdate: true,
    statusCarriesMetadata: true,
    nameRule: 'subdomain',
    printer: plainPrinter,
    fields: {},
    strategic: undefined,
    schema: {
      type: 'object',
      properties: { spec: open, status: open },
      'x-kubernetes-preserve-unknown-fields': true,
    },
    ...given,
  }
}
