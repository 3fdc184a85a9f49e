import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunCommand } from '../../../internal/base/command.ts'
import { createFabric } from '../../../internal/sim/fabric/fabric.ts'
import { eipLines } from '../../../internal/sim/fabric/outside-lines.ts'
import type { Cidr } from '../../../internal/value/cidr.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Mac } from '../../../internal/value/mac.ts'

const ip = (text: string) => text as Ipv4

test('eipLines() replaces all there is, in both directions', () => {
  const eips = [
    { address: ip('203.0.113.1'), privateIp: ip('10.0.1.8') },
    { address: ip('203.0.113.2'), privateIp: ip('10.0.1.9') },
  ]
  assert.deepEqual(eipLines(eips), [
    'flush map ip eip to_private',
    'flush map ip eip to_public',
    'add element ip eip to_private { 203.0.113.1 : 10.0.1.8, 203.0.113.2 : 10.0.1.9 }',
    'add element ip eip to_public { 10.0.1.8 : 203.0.113.1, 10.0.1.9 : 203.0.113.2 }',
  ])
  assert.equal(eipLines([]).length, 2)
})

test('createFabric() works without nft, and says that there is no public side', async () => {
  const inputs: string[] = []
  const run: RunCommand = async (_, args, input = '') => {
    if (args.includes('nft')) return { status: 127, stdout: '', stderr: 'nsenter: failed to execute nft' }
    inputs.push(input)
    return { status: 0, stdout: '', stderr: '' }
  }
  const fabric = await createFabric({ run })
  assert.match('fault' in fabric.outside ? fabric.outside.fault : '', /failed to execute nft/)
  const eni = {
    mac: '20:90:6f:00:00:01' as Mac,
    deviceIndex: 1,
    subnetCidr: '10.0.1.0/24' as Cidr,
    primaryIp: ip('10.0.1.5'),
    ips: [],
    eips: [{ address: ip('203.0.113.1'), privateIp: ip('10.0.1.5') }],
  }
  await fabric.apply([{ name: 'a', enis: [eni] }])
  await fabric.close()
  assert.doesNotMatch(inputs.join(''), /outside|internet|eip/)
  assert.match(inputs.join(''), /netns add node-a/)
})
