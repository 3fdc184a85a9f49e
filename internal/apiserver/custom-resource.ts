// Turns a CustomResourceDefinition into the resources it defines, one for each served version.
import { defineResource } from './define-resource.ts'
import { ageOf } from './human-duration.ts'
import { parseJsonPath } from './json-path.ts'
import { asObject, asObjects, asText, at, type Json, type JsonObject, type KubeObject } from './object.ts'
import { nameColumn, printer } from './printers.ts'
import type { Cell, Column, Printer, ResourceType } from './resource.ts'
import { applyDefaults, dropNulls, prune, validate } from './schema.ts'

/** The resources of `crd`. All versions share one stored form: there is no conversion but that of apiVersion. */
export function customResources(crd: KubeObject): ResourceType[] {
  return asObjects(at(crd, 'spec', 'versions'))
    .filter(({ served }) => served === true)
    .map((version) => customResource(crd, version))
}

function customResource(crd: KubeObject, version: JsonObject): ResourceType {
  const spec = asObject(crd['spec'])
  const names = asObject(spec['names'])
  const group = asText(spec['group'])
  const kind = asText(names['kind'])
  const apiVersion = `${group}/${asText(version['name'])}`
  const schema = withObjectFields(asObject(at(version, 'schema', 'openAPIV3Schema')))
  return defineResource({
    group,
    version: asText(version['name']),
    resource: asText(names['plural']),
    singular: asText(names['singular']) || kind.toLowerCase(),
    kind,
    listKind: asText(names['listKind']) || `${kind}List`,
    namespaced: spec['scope'] === 'Namespaced',
    shortNames: texts(names['shortNames']),
    categories: texts(names['categories']),
    hasStatus: at(version, 'subresources', 'status') !== undefined,
    countsGenerations: true,
    unconditionalUpdate: false,
    statusCarriesMetadata: false,
    ...(at(version, 'subresources', 'status') === undefined ? {} : { initialStatus: {} }),
    printer: columnsPrinter(asObjects(version['additionalPrinterColumns'])),
    fields: selectableFields(asObjects(version['selectableFields'])),
    schema,
    unknownFields: (object) => prune(structuredClone(object), schema),
    prepare: (object) => {
      prune(object, schema)
      dropNulls(object, schema)
      applyDefaults(object, schema)
    },
    check: (object) => validate(object, schema, ''),
    fromStored: (stored) => ({ ...stored, apiVersion }),
  })
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** apiVersion, kind and metadata belong to every object, whether the schema says so or not. */
function withObjectFields(schema: JsonObject): JsonObject {
  return {
    ...schema,
    properties: {
      ...asObject(schema['properties']),
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  }
}

function selectableFields(fields: readonly JsonObject[]): ResourceType['fields'] {
  return Object.fromEntries(
    fields.map(({ jsonPath }) => {
      const find = parseJsonPath(asText(jsonPath))
      return [asText(jsonPath).replace(/^\./, ''), (object: KubeObject) => asText(find?.(object)[0])]
    }),
  )
}

function columnsPrinter(definitions: readonly JsonObject[]): Printer {
  const columns: readonly JsonObject[] =
    definitions.length > 0
      ? definitions
      : [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }]
  const finds = columns.map(({ jsonPath }) => parseJsonPath(asText(jsonPath)) ?? (() => []))
  const { cells } = printer(columns.map(columnOf), (object, now) =>
    columns.map((column, i) => cellOf(finds[i]?.(object)[0], asText(column['type']), now)),
  )
  return { columns: [nameColumn, ...columns.map(columnOf)], cells }
}

function columnOf(column: JsonObject): Column {
  return {
    name: asText(column['name']),
    type: asText(column['type']),
    format: asText(column['format']),
    description: asText(column['description']),
    priority: Number(column['priority'] ?? 0),
  }
}

function cellOf(value: Json | undefined, type: string, now: number): Cell {
  if (value === undefined || value === null) return null
  if (type === 'date') return ageOf(asText(value), now)
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
