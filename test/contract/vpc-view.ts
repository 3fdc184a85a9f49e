// What the contract looks at in the answers of the VPC API.
import assert from 'node:assert/strict'
import type { Answer } from './vpc.contract.ts'

export interface EniView {
  readonly id: string
  readonly state: string
  readonly instanceId: string | undefined
  readonly ips: readonly { readonly address: string; readonly primary: boolean; readonly state: string }[]
}

export function enis(answer: Answer): EniView[] {
  return list(answer, 'NetworkInterfaceSet').map((eni) => {
    const attachment = eni['Attachment'] as Answer | null
    return {
      id: text(eni, 'NetworkInterfaceId'),
      state: text(eni, 'State'),
      instanceId: attachment === null ? undefined : text(attachment, 'InstanceId'),
      ips: list(eni, 'PrivateIpAddressSet').map((ip) => ({
        address: text(ip, 'PrivateIpAddress'),
        primary: ip['Primary'] === true,
        state: text(ip, 'State'),
      })),
    }
  })
}

export interface ReservedView {
  readonly id: string
  readonly address: string
  readonly state: string
  readonly resourceId: string
}

export function reserved(answer: Answer): ReservedView[] {
  return list(answer, 'ReserveIpAddressSet').map((one) => ({
    id: text(one, 'ReserveIpId'),
    address: text(one, 'ReserveIpAddress'),
    state: text(one, 'State'),
    resourceId: text(one, 'ResourceId'),
  }))
}

export interface EipView {
  readonly id: string
  readonly address: string
  readonly state: string
  readonly eniId: string | null
  readonly privateIp: string | null
  readonly instanceId: string
}

export function eips(answer: Answer): EipView[] {
  return list(answer, 'AddressSet').map((one) => ({
    id: text(one, 'AddressId'),
    address: text(one, 'AddressIp'),
    state: text(one, 'AddressStatus'),
    eniId: textOrNull(one, 'NetworkInterfaceId'),
    privateIp: textOrNull(one, 'PrivateAddressIp'),
    instanceId: text(one, 'InstanceId'),
  }))
}

function textOrNull(answer: Answer, name: string): string | null {
  return answer[name] === null ? null : text(answer, name)
}

export function list(answer: Answer, name: string): Answer[] {
  const value = answer[name]
  assert.ok(Array.isArray(value), `${name} is a list`)
  return value as Answer[]
}

export function text(answer: Answer, name: string): string {
  const value = answer[name]
  assert.equal(typeof value, 'string', `${name} is text`)
  return String(value)
}
