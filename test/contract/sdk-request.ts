// Calls of the VPC API by name through the official SDK.
import { vpc } from 'tencentcloud-sdk-nodejs/tencentcloud/services/vpc/index.js'
import type { VpcSubject } from './vpc.contract.ts'

export interface SdkOptions {
  readonly endpoint: string
  readonly protocol: 'http://' | 'https://'
  readonly region: string
  readonly credential: { readonly secretId: string; readonly secretKey: string; readonly token?: string }
}

export function sdkRequest({ endpoint, protocol, region, credential }: SdkOptions): VpcSubject['request'] {
  const client = new vpc.v20170312.Client({
    credential,
    region,
    profile: { httpProfile: { endpoint, protocol } },
  })
  return (action, params) => client.request(action, params)
}
