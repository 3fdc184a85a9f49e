// Validating admission policies. This server evaluates no CEL: it knows the policies it was started with, as functions, and holds
// writes to those that are installed and bound.
import { defineResource } from './define-resource.ts'
import { asText, at, type KubeObject } from './object.ts'
import type { Call } from './request.ts'
import type { ResourceType } from './resource.ts'
import { deniedByPolicy, forbiddenField } from './status-error.ts'

/** A policy whose rules are a function here. */
export interface KnownPolicy {
  /** Of the ValidatingAdmissionPolicy and of its binding. */
  readonly name: string
  readonly group: string
  readonly resource: string
  /** Why a write of `object` is refused; `old` is undefined when it is being created. Not asked for subresources. */
  judge(object: KubeObject, old: KubeObject | undefined): string | undefined
}

const group = 'admissionregistration.k8s.io'
const policies = 'validatingadmissionpolicies'
const bindings = 'validatingadmissionpolicybindings'

/** Throws StatusError 422 when a policy refuses the write. */
export function admit({ context, type, path }: Call, object: KubeObject, old: KubeObject | undefined): void {
  if (path.subresource !== '') return
  for (const policy of context.policies) {
    if (policy.group !== type.group || policy.resource !== type.resource) continue
    const find = (resource: string) =>
      context.storage.get({ group, resource, namespace: '', name: policy.name })
    const bound = asText(at(find(bindings), 'spec', 'policyName'))
    if (bound !== policy.name || find(policies) === undefined) continue
    const why = policy.judge(object, old)
    if (why !== undefined) throw deniedByPolicy(type, object.metadata.name ?? '', policy.name, why)
  }
}

/** What a server with these policies serves, so that they can be installed as on any other. */
export function policyResources(known: readonly KnownPolicy[]): readonly ResourceType[] {
  if (known.length === 0) return []
  const names = new Set(known.map(({ name }) => name))
  const define = (resource: string, kind: string) =>
    defineResource({
      group,
      version: 'v1',
      resource,
      kind,
      namespaced: false,
      categories: ['api-extensions'],
      countsGenerations: true,
      check: ({ metadata: { name = '' } }) =>
        names.has(name)
          ? []
          : [forbiddenField('metadata.name', `this server knows only ${[...names].join(', ')}`)],
    })
  return [define(policies, 'ValidatingAdmissionPolicy'), define(bindings, 'ValidatingAdmissionPolicyBinding')]
}
