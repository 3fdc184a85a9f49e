// What the server knows of one resource: its names, where it is stored, and how it is checked, printed and selected.
import type { JsonObject, KubeObject } from './object.ts'
import type { StrategicRules } from './patch/strategic-patch.ts'
import type { Cause } from './status-error.ts'

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** 0 is always shown, 1 with -o wide. */
  readonly priority?: number
}

export type Cell = string | number | boolean | null

export interface Printer {
  readonly columns: readonly Column[]
  readonly cells: (object: KubeObject, now: number) => readonly Cell[]
}

/** What `check` and `prepare` get beside the object. */
export interface Writing {
  readonly now: number
  /** undefined when it is being created. */
  readonly old: KubeObject | undefined
  readonly subresource: string
}

export interface ResourceType {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly Verb[]
  /** Told to who tries a verb that is not among them. */
  readonly whyNot?: Partial<Readonly<Record<Verb, string>>>
  readonly hasStatus: boolean
  /** Counts changes of anything but metadata and status in metadata.generation. */
  readonly countsGenerations: boolean
  /** An update may leave out metadata.resourceVersion. */
  readonly unconditionalUpdate: boolean
  /** What a new object's status is; undefined keeps the one it came with. */
  readonly initialStatus?: JsonObject
  /** A status update may also change labels and annotations (built-in resources; custom ones may not). */
  readonly statusCarriesMetadata: boolean
  readonly nameRule: 'subdomain' | 'label' | 'any'
  readonly printer: Printer
  /** Values of the fields a field selector may name, beside metadata.name and metadata.namespace. */
  readonly fields: Readonly<Record<string, (object: KubeObject) => string>>
  /** undefined: no strategic merge patch. */
  readonly strategic: StrategicRules | undefined
  /** An OpenAPI schema of the object. */
  readonly schema: JsonObject
  /** Fills in defaults and drops what may not be set; may change `object`. */
  readonly prepare?: (object: KubeObject, writing: Writing) => void
  readonly check?: (object: KubeObject, writing: Writing) => readonly Cause[]
  /** Fields that the schema does not know, as dotted paths; asked before they are dropped. */
  readonly unknownFields?: (object: KubeObject) => readonly string[]
  /** Between the stored form and that of this version, where they differ. */
  readonly fromStored?: (stored: KubeObject) => KubeObject
  readonly toStored?: (object: KubeObject) => KubeObject
  /** Where it is stored, when not under its own group and name. */
  readonly storedAs?: { readonly group: string; readonly resource: string }
}

export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group === '' ? version : `${group}/${version}`
}

export function storedAs(type: ResourceType): { readonly group: string; readonly resource: string } {
  return type.storedAs ?? { group: type.group, resource: type.resource }
}
