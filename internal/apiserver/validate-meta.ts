// The rules for names, labels, annotations and finalizers that every object obeys.
import type { KubeObject, ObjectMeta } from './object.ts'
import type { ResourceType } from './resource.ts'
import { type Cause, forbiddenField, invalidField, requiredField } from './status-error.ts'

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

export function isLabelKey(key: string): boolean {
  const [name = '', prefix, ...rest] = key.split('/').reverse()
  if (rest.length > 0 || name.length > 63 || !qualifiedName.test(name)) return false
  return prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix))
}

export function isLabelValue(value: string): boolean {
  return value === '' || (value.length <= 63 && qualifiedName.test(value))
}

const annotationLimit = 256 * 1024

/** Every fault of `object.metadata`, beside what only an update can get wrong. */
export function checkMetadata(object: KubeObject, type: ResourceType): Cause[] {
  const { metadata } = object
  return [
    ...checkName(metadata.name ?? '', type),
    ...checkShape(metadata),
    ...checkLabels(metadata),
    ...checkAnnotations(metadata),
    ...(metadata.finalizers ?? [])
      .filter((name) => typeof name !== 'string' || !isLabelKey(name))
      .map((name) => invalidField('metadata.finalizers', name, qualifiedNameRule)),
  ]
}

function checkShape(metadata: ObjectMeta): Cause[] {
  const { finalizers, ownerReferences } = metadata
  const causes: Cause[] = []
  if (finalizers !== undefined && !Array.isArray(finalizers))
    causes.push(invalidField('metadata.finalizers', finalizers, 'must be a list'))
  for (const [i, owner] of (Array.isArray(ownerReferences) ? ownerReferences : []).entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      if (!owner[field])
        causes.push(invalidField(`metadata.ownerReferences[${i}].${field}`, '', 'must not be empty'))
    }
  }
  return causes
}

function checkName(name: string, type: ResourceType): Cause[] {
  const field = 'metadata.name'
  if (name === '') return [requiredField(field, 'name or generateName is required')]
  if (name === '.' || name === '..' || /[/%]/.test(name)) {
    return [invalidField(field, name, `may not be '.' or '..' or contain '/' or '%'`)]
  }
  if (type.nameRule === 'subdomain' && (name.length > 253 || !subdomain.test(name))) {
    return [
      invalidField(field, name, name.length > 253 ? 'must be no more than 253 characters' : subdomainRule),
    ]
  }
  if (type.nameRule === 'label' && (name.length > 63 || !label.test(name))) {
    return [invalidField(field, name, name.length > 63 ? 'must be no more than 63 characters' : labelRule)]
  }
  return []
}

function checkLabels({ labels = {} }: ObjectMeta): Cause[] {
  const field = 'metadata.labels'
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!isLabelKey(key)) return [invalidField(field, key, qualifiedNameRule)]
    if (!isLabelValue(value)) {
      return [
        invalidField(field, value, value.length > 63 ? 'must be no more than 63 characters' : labelValueRule),
      ]
    }
    return []
  })
}

function checkAnnotations({ annotations = {} }: ObjectMeta): Cause[] {
  const field = 'metadata.annotations'
  let size = 0
  const causes: Cause[] = []
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + value.length
    if (!isLabelKey(key.toLowerCase())) causes.push(invalidField(field, key, qualifiedNameRule))
  }
  if (size > annotationLimit) {
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${annotationLimit} bytes`,
      field,
    })
  }
  return causes
}

/** What an update may not change. */
export function checkMetadataUpdate(object: KubeObject, old: KubeObject): Cause[] {
  const causes: Cause[] = []
  if (old.metadata.deletionTimestamp !== undefined) {
    const before = new Set(old.metadata.finalizers ?? [])
    const added = (object.metadata.finalizers ?? []).filter((name) => !before.has(name))
    if (added.length > 0) {
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
      causes.push(forbiddenField('metadata.finalizers', why))
    }
  }
  return causes
}
