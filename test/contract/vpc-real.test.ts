// The reading part of the VPC contract on the real API, when credentials and a region are given.
import { test } from 'node:test'
import { sleep, systemClock } from '../../internal/base/clock.ts'
import { sdkRequest } from './sdk-request.ts'
import { readOnlyVpcContract } from './vpc.contract.ts'

const {
  TENCENTCLOUD_SECRET_ID: secretId,
  TENCENTCLOUD_SECRET_KEY: secretKey,
  TENCENTCLOUD_SESSION_TOKEN: token,
  TENCENTCLOUD_REGION: region,
} = process.env

if (!secretId || !secretKey || !region)
  test('VPC API of Tencent Cloud, reading', {
    skip: 'set TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_REGION to run it',
  })
else
  readOnlyVpcContract('Tencent Cloud', async () => ({
    request: sdkRequest({
      endpoint: 'vpc.tencentcloudapi.com',
      protocol: 'https://',
      region,
      credential: { secretId, secretKey, ...(token ? { token } : {}) },
    }),
    wait: () => sleep(systemClock, 1000),
    close: async () => {},
  }))
