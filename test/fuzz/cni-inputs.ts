// What a container runtime could hand to the plugin: mostly right, often wrong in a place or two, sometimes nothing like it.
import fc from 'fast-check'
import { mutateText, mutation } from './mutate.ts'
import { oddText } from './odd.ts'

export interface CniInput {
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Buffer
}

export const commands = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'] as const

export const validConfig = {
  cniVersion: '1.1.0',
  name: 'tke',
  type: 'tke-route-eni',
  dns: { nameservers: ['10.0.0.2'], search: ['cluster.local'] },
  runtimeConfig: { portMappings: [{ hostPort: 80, containerPort: 8080, protocol: 'tcp' }] },
  prevResult: {
    cniVersion: '1.1.0',
    interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/a' }],
    ips: [{ address: '10.0.1.5/32', interface: 0 }],
    routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1' }],
    dns: {},
  },
  'cni.dev/valid-attachments': [{ containerID: 'c-1', ifname: 'eth0' }],
}

/** Mostly `right`, else something odd. */
function mostly(...right: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...right) }, { weight: 2, arbitrary: oddText })
}

const env: fc.Arbitrary<Readonly<Record<string, string>>> = fc.record(
  {
    CNI_COMMAND: mostly(...commands, 'VERSION'),
    CNI_CONTAINERID: mostly('c-1', 'c-2', 'a'.repeat(64)),
    CNI_NETNS: mostly('/run/netns/c-1', '/proc/1/ns/net'),
    CNI_IFNAME: mostly('eth0', 'net1'),
    CNI_ARGS: mostly(
      '',
      'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u-1',
      'a=;b=c',
    ),
    CNI_PATH: mostly('/opt/cni/bin'),
  },
  { requiredKeys: ['CNI_COMMAND'] },
)

/** The configuration as it is written, with what makes it no JSON. */
const text: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(mutation, { maxLength: 3 }).map((changes) => mutateText(validConfig, changes)),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: oddText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '['.repeat(200_000),
      '{"a":'.repeat(100_000),
      '['.repeat(100_000) + ']'.repeat(100_000),
      JSON.stringify({ ...validConfig, deep: 0 }).replace(
        ':0}',
        `:${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      ),
      `{"__proto__":{"cniVersion":"1.1.0"},"name":"tke","type":"t"}`,
      `{"cniVersion":"1.1.0","cniVersion":7,"name":"tke","type":"t"}`,
      `{"cniVersion":"1.1.0","name":"${'n'.repeat(400_000)}","type":"t"}`,
      '1e999',
      '"\\ud800"',
    ),
  },
)

type Damage = { readonly at: number; readonly bytes: readonly number[]; readonly drop: number }

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(2000),
  bytes: fc.array(fc.nat(255), { maxLength: 4 }),
  drop: fc.nat(3),
})

/** Bytes: some are put in, some are lost, the end may be missing. */
export const stdin: fc.Arbitrary<Buffer> = fc
  .tuple(
    text,
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(damage, { maxLength: 3 })),
    fc.nat(20),
  )
  .map(([whole, damages, cut]) => {
    let bytes = Buffer.from(whole)
    for (const { at, bytes: put, drop } of damages) {
      const from = at % (bytes.length + 1)
      bytes = Buffer.concat([bytes.subarray(0, from), Buffer.from(put), bytes.subarray(from + drop)])
    }
    return cut === 0 ? bytes.subarray(0, bytes.length >> 1) : bytes
  })

export const cniInput: fc.Arbitrary<CniInput> = fc.record({ env, stdin })
