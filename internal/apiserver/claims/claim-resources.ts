// The resources that are claims seen from outside: `vpcips` (vip), `vpcipclaims` (vipc) and `eipclaims` (eipc).
import { defineResource } from '../define-resource.ts'
import { asText, at, type KubeObject } from '../object.ts'
import type { ResourceType } from '../resource.ts'
import { addressPrinter, type ClaimExpiry, claimPrinter, eipClaimPrinter } from './claim-columns.ts'
import { claimGroup, claimVersion } from './claim-objects.ts'
import { addressSchema, claimSchema, eipClaimSchema } from './claim-schemas.ts'

const field =
  (...path: readonly string[]) =>
  (object: KubeObject): string =>
    asText(at(object, ...path))

const common = { group: claimGroup, version: claimVersion, categories: ['tke-eni'] } as const

export const addressResource: ResourceType = defineResource({
  ...common,
  resource: 'vpcips',
  kind: 'VpcIP',
  namespaced: false,
  shortNames: ['vip'],
  verbs: ['get', 'list', 'watch'],
  whyNot: {
    delete: 'a VpcIP goes with its VpcIPClaim: delete that one, kubectl delete vipc <pod> -n <namespace>',
  },
  printer: addressPrinter,
  fields: {
    'spec.claimRef.namespace': field('spec', 'claimRef', 'namespace'),
    'spec.claimRef.name': field('spec', 'claimRef', 'name'),
    'spec.subnetID': field('spec', 'subnetID'),
    'spec.zone': field('spec', 'zone'),
    'status.phase': field('status', 'phase'),
    'status.node': field('status', 'node'),
    'status.eniID': field('status', 'eniID'),
  },
  schema: addressSchema,
})

export const claimResource: ResourceType = defineResource({
  ...common,
  resource: 'vpcipclaims',
  kind: 'VpcIPClaim',
  namespaced: true,
  shortNames: ['vipc'],
  verbs: ['delete', 'deletecollection', 'get', 'list', 'watch'],
  fields: {
    'spec.deletePolicy': field('spec', 'deletePolicy'),
    'spec.mode': field('spec', 'mode'),
    'status.phase': field('status', 'phase'),
    'status.node': field('status', 'node'),
    'status.vpcIP': field('status', 'vpcIP'),
    'status.subnetID': field('status', 'subnetID'),
    'status.zone': field('status', 'zone'),
  },
  schema: claimSchema,
})

export const eipClaimResource: ResourceType = defineResource({
  ...common,
  resource: 'eipclaims',
  kind: 'EIPClaim',
  namespaced: true,
  shortNames: ['eipc'],
  verbs: ['delete', 'deletecollection', 'get', 'list', 'watch'],
  fields: {
    'spec.deletePolicy': field('spec', 'deletePolicy'),
    'spec.source': field('spec', 'source'),
    'status.phase': field('status', 'phase'),
    'status.node': field('status', 'node'),
    'status.publicIP': field('status', 'publicIP'),
    'status.privateIP': field('status', 'privateIP'),
    'status.eipID': field('status', 'eipID'),
    'status.cost': field('status', 'cost'),
  },
  schema: eipClaimSchema,
})

export function claimResources(claimExpiry: ClaimExpiry): readonly ResourceType[] {
  return [
    addressResource,
    { ...claimResource, printer: claimPrinter(claimExpiry) },
    { ...eipClaimResource, printer: eipClaimPrinter(claimExpiry) },
  ]
}
