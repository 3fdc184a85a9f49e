// Server-side apply: each applier owns the fields it says; others' fields it must not change unless it forces, and what it
// no longer says goes. Fields written by other means than apply belong to nobody here.
import { formatTime } from '../value/millis.ts'
import { bodyValue, checkedObject } from './body.ts'
import { asObject, asText, clone, isObject, type JsonObject, type KubeObject, sameJson } from './object.ts'
import {
  type FieldSet,
  fieldsOf,
  fromFieldsV1,
  removeAt,
  setOf,
  toFieldsV1,
  valueAt,
} from './patch/field-set.ts'
import { applyStrategicPatch, type StrategicRules } from './patch/strategic-patch.ts'
import type { Answer, Call } from './request.ts'
import { apiVersionOf } from './resource.ts'
import { rulesOfSchema } from './schema-rules.ts'
import { badRequest, invalid, invalidField, notFound, requiredField, StatusError } from './status-error.ts'
import { load } from './stored-object.ts'
import { create, replace, written } from './write.ts'

interface Manager {
  readonly name: string
  readonly subresource: string
  readonly fields: FieldSet
  readonly entry: JsonObject
}

export function applyObject(call: Call): Answer {
  const { context, type, path, query } = call
  const name = path.name ?? ''
  const manager = query.get('fieldManager') ?? ''
  if (manager === '')
    throw invalid(optionsOfPatch, '', [requiredField('fieldManager', 'is required for apply patch')])
  const value = bodyValue(call.body, 'application/yaml')
  if (!isObject(value)) throw badRequest('the body is not an object')
  const applied = checkedObject(value, type)
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  applied.metadata.name ??= name
  if (applied.metadata.name !== name) {
    throw invalid(type, name, [invalidField('metadata.name', applied.metadata.name, 'field is immutable')])
  }
  const rules = type.strategic ?? rulesOfSchema(type.schema)
  const fields = fieldsOf(applied, rules)
  const old = load(context, type, path.namespace, name)
  if (old === undefined) {
    if (path.subresource !== '') throw notFound(type, name)
    const object = {
      ...applied,
      metadata: { ...applied.metadata, managedFields: [entryOf(call, manager, fields)] },
    }
    return written(call, 201, create(call, object))
  }
  return written(call, 200, replace(call, old, merged(call, { old, applied, manager, fields, rules })))
}

const optionsOfPatch = { group: 'meta.k8s.io', resource: '', kind: 'PatchOptions' }

interface Application {
  readonly old: KubeObject
  readonly applied: KubeObject
  readonly manager: string
  readonly fields: FieldSet
  readonly rules: StrategicRules
}

function merged(call: Call, { old, applied, manager, fields, rules }: Application): KubeObject {
  const managers = managersOf(old)
  const isMine = (item: Manager): boolean =>
    item.name === manager && item.subresource === call.path.subresource
  const mine = managers.find(isMine)
  const contested = conflicts(
    managers.filter((item) => !isMine(item)),
    { old, applied, fields },
  )
  if (contested.length > 0 && call.query.get('force') !== 'true') throw applyConflict(contested)
  const lost = new Set(contested.map(({ text }) => text))
  const others = managers.filter((item) => !isMine(item)).map((item) => withoutFields(item, lost))
  const { resourceVersion, uid } = applied.metadata
  const result = applyStrategicPatch(clone(old), applied, rules) as KubeObject
  for (const [text, path] of mine?.fields ?? []) {
    if (!fields.has(text) && !others.some((item) => item.fields.has(text))) removeAt(result, path)
  }
  const same = mine !== undefined && sameJson(toFieldsV1(mine.fields), toFieldsV1(fields))
  const entry = same && unchanged(old, result) ? mine.entry : entryOf(call, manager, fields)
  const metadata = { ...result.metadata, managedFields: [...others.map((item) => item.entry), entry] }
  if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion
  if (uid !== undefined) metadata.uid = uid
  return { ...result, metadata }
}

function unchanged(old: KubeObject, result: KubeObject): boolean {
  return sameJson(old, result)
}

interface Contested {
  readonly text: string
  readonly manager: string
  readonly field: string
}

/** Fields of other appliers whose value would change. */
function conflicts(
  others: readonly Manager[],
  { old, applied, fields }: Pick<Application, 'old' | 'applied' | 'fields'>,
): Contested[] {
  return [...fields].flatMap(([text, path]) => {
    // That an item of a list is there is no value: its fields are.
    if (path.at(-1) === '.' || sameJson(valueAt(old, path), valueAt(applied, path))) return []
    const field = path.map(stepText).join('')
    return others.filter((item) => item.fields.has(text)).map((item) => ({ text, manager: item.name, field }))
  })
}

function stepText(step: string): string {
  if (step.startsWith('f:')) return `.${step.slice(2)}`
  return step === '.' ? '' : `[${step.slice(2)}]`
}

function applyConflict(contested: readonly Contested[]): StatusError {
  const causes = contested.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${manager}"`,
    field,
  }))
  const lines = contested.map(({ manager, field }) => `conflict with "${manager}": ${field}`)
  const message = `Apply failed with ${contested.length} conflict${contested.length === 1 ? '' : 's'}: ${lines.join(', ')}`
  return new StatusError(409, 'Conflict', message, { causes })
}

function managersOf({ metadata }: KubeObject): Manager[] {
  return (metadata.managedFields ?? [])
    .filter((entry) => entry['operation'] === 'Apply')
    .map((entry) => ({
      name: asText(entry['manager']),
      subresource: asText(entry['subresource']),
      fields: setOf(fromFieldsV1(asObject(entry['fieldsV1']))),
      entry,
    }))
}

function withoutFields(manager: Manager, lost: ReadonlySet<string>): Manager {
  const fields: FieldSet = new Map([...manager.fields].filter(([text]) => !lost.has(text)))
  if (fields.size === manager.fields.size) return manager
  return { ...manager, fields, entry: { ...manager.entry, fieldsV1: toFieldsV1(fields) } }
}

function entryOf({ context, path, type }: Call, manager: string, fields: FieldSet): JsonObject {
  return {
    manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(type),
    time: formatTime(context.clock.now()),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(path.subresource === '' ? {} : { subresource: path.subresource }),
  }
}
