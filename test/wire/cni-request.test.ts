import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CniFault } from '../../internal/wire/cni-fault.ts'
import { checkRequest, readRawRequest } from '../../internal/wire/cni-request.ts'

const env = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: '4f2c',
  CNI_NETNS: '/run/netns/a',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_UID=u=1',
}
const config = { cniVersion: '1.0.0', name: 'tke', type: 'tke-route-eni' }

interface Case {
  readonly env?: Record<string, string | undefined>
  readonly config?: Record<string, unknown>
  readonly stdin?: string
}

function read(given: Case) {
  return checkRequest(
    readRawRequest({ ...env, ...given.env }, given.stdin ?? JSON.stringify({ ...config, ...given.config })),
  )
}

function refusal(given: Case): CniFault {
  try {
    read(given)
  } catch (error) {
    assert.ok(error instanceof CniFault, String(error))
    return error
  }
  assert.fail(`it was accepted: ${JSON.stringify(given)}`)
}

test('[D6] checkRequest() reads an ADD as a runtime sends it', () => {
  const request = read({
    config: { socket: '/run/x.sock', timeout: '90s', dns: { nameservers: ['1.1.1.1'] } },
  })
  assert.deepEqual(request, {
    command: 'ADD',
    containerId: '4f2c',
    netns: '/run/netns/a',
    ifname: 'eth0',
    args: { IgnoreUnknown: '1', K8S_POD_NAMESPACE: 'default', K8S_POD_NAME: 'web-0', K8S_POD_UID: 'u=1' },
    config: {
      ...config,
      socket: '/run/x.sock',
      timeout: 90_000,
      dns: { nameservers: ['1.1.1.1'] },
      prevResult: undefined,
      validAttachments: undefined,
    },
  })
})

test('[D6] checkRequest() takes a DEL without a namespace: it is gone already', () => {
  const request = read({ env: { CNI_COMMAND: 'DEL', CNI_NETNS: '' } })
  assert.ok(request.command === 'DEL' && request.netns === undefined)
})

test('[D6] checkRequest() reads GC under both names of its key', () => {
  for (const key of ['cni.dev/valid-attachments', 'cni.dev/attachments']) {
    const gc = { cniVersion: '1.1.0', [key]: [{ containerID: 'a', ifname: 'eth0' }] }
    const request = read({ env: { CNI_COMMAND: 'GC', CNI_CONTAINERID: '', CNI_IFNAME: '' }, config: gc })
    assert.ok(request.command === 'GC')
    assert.deepEqual(request.validAttachments, [{ containerId: 'a', ifname: 'eth0' }])
  }
})

const refused: readonly (Case & { what: string; code: number; says: RegExp })[] = [
  { what: 'no command', env: { CNI_COMMAND: undefined }, code: 4, says: /CNI_COMMAND is not set/ },
  {
    what: 'an unknown command',
    env: { CNI_COMMAND: 'add' },
    code: 4,
    says: /CNI_COMMAND is "add", not one of ADD/,
  },
  { what: 'no container', env: { CNI_CONTAINERID: '' }, code: 4, says: /CNI_CONTAINERID is not set/ },
  { what: 'an odd container', env: { CNI_CONTAINERID: '../x' }, code: 4, says: /CNI_CONTAINERID is "..\/x"/ },
  { what: 'no namespace', env: { CNI_NETNS: '' }, code: 4, says: /CNI_NETNS is not set/ },
  {
    what: 'a relative namespace',
    env: { CNI_NETNS: 'x' },
    code: 4,
    says: /CNI_NETNS is "x", not an absolute path/,
  },
  { what: 'no interface', env: { CNI_IFNAME: '' }, code: 4, says: /CNI_IFNAME is not set/ },
  { what: 'a long interface', env: { CNI_IFNAME: 'e'.repeat(16) }, code: 4, says: /CNI_IFNAME/ },
  { what: 'an odd interface', env: { CNI_IFNAME: 'a/b' }, code: 4, says: /CNI_IFNAME is "a\/b"/ },
  { what: 'odd arguments', env: { CNI_ARGS: 'a=b;c' }, code: 4, says: /CNI_ARGS has "c" in it/ },
  { what: 'no input', stdin: '', code: 6, says: /it is empty/ },
  { what: 'no JSON', stdin: '{', code: 6, says: /it is not JSON/ },
  { what: 'no object', stdin: '[]', code: 6, says: /not a JSON object/ },
  {
    what: 'no version',
    config: { cniVersion: undefined },
    code: 1,
    says: /"cniVersion" is missing, supported are 0.3.0/,
  },
  { what: 'an old version', config: { cniVersion: '0.2.0' }, code: 1, says: /"cniVersion" is "0.2.0"/ },
  { what: 'a future version', config: { cniVersion: '2.0.0' }, code: 1, says: /"cniVersion" is "2.0.0"/ },
  { what: 'no name', config: { name: undefined }, code: 7, says: /"name" is missing/ },
  { what: 'an odd name', config: { name: 'a b' }, code: 7, says: /"name" is "a b"/ },
  { what: 'no type', config: { type: 1 }, code: 7, says: /"type" is 1/ },
  {
    what: 'a relative socket',
    config: { socket: 'x' },
    code: 7,
    says: /"socket" is "x", not the absolute path/,
  },
  { what: 'an endless wait', config: { timeout: '1d' }, code: 7, says: /"timeout" is "1d"/ },
  { what: 'an odd result', config: { prevResult: { ips: 'x' } }, code: 7, says: /"prevResult.ips" is "x"/ },
  { what: 'CHECK without a result', env: { CNI_COMMAND: 'CHECK' }, code: 7, says: /no "prevResult"/ },
  {
    what: 'CHECK before it existed',
    env: { CNI_COMMAND: 'CHECK' },
    config: { cniVersion: '0.3.1' },
    code: 1,
    says: /CHECK exists since 0.4.0/,
  },
  { what: 'GC before it existed', env: { CNI_COMMAND: 'GC' }, code: 1, says: /GC exists since 1.1.0/ },
  {
    what: 'STATUS before it existed',
    env: { CNI_COMMAND: 'STATUS' },
    code: 1,
    says: /STATUS exists since 1.1.0/,
  },
  {
    what: 'GC without a list, which would free everything',
    env: { CNI_COMMAND: 'GC' },
    config: { cniVersion: '1.1.0' },
    code: 7,
    says: /"cni.dev\/valid-attachments" is missing/,
  },
]

for (const { what, code, says, ...given } of refused) {
  test(`[R6] checkRequest() refuses ${what}`, () => {
    const fault = refusal(given)
    assert.match(fault.message, says)
    assert.equal(fault.code, code)
  })
}

test('[R6] checkRequest() reads anything, or refuses it with a code of the specification', () => {
  const anyEnv = fc.record(
    {
      CNI_COMMAND: fc.oneof(fc.constantFrom('ADD', 'DEL', 'CHECK', 'GC', 'STATUS'), fc.string()),
      CNI_CONTAINERID: fc.string(),
      CNI_NETNS: fc.oneof(fc.constant('/run/netns/a'), fc.string()),
      CNI_IFNAME: fc.string(),
      CNI_ARGS: fc.string(),
    },
    { requiredKeys: [] },
  )
  const anyConfig = fc.record(
    {
      cniVersion: fc.oneof(fc.constantFrom('0.4.0', '1.0.0', '1.1.0'), fc.anything()),
      name: fc.oneof(fc.constant('tke'), fc.anything()),
      type: fc.oneof(fc.constant('tke-route-eni'), fc.anything()),
      prevResult: fc.anything(),
      dns: fc.anything(),
      timeout: fc.anything(),
      'cni.dev/valid-attachments': fc.anything(),
    },
    { requiredKeys: [] },
  )
  const stdin = fc.oneof(
    fc.string(),
    fc.json(),
    anyConfig.map((value) =>
      JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}` : item)),
    ),
  )
  const known = new Set<number>([1, 4, 6, 7])
  fc.assert(
    fc.property(anyEnv, stdin, (environment, input) => {
      try {
        checkRequest(readRawRequest(environment, input))
      } catch (error) {
        assert.ok(error instanceof CniFault && known.has(error.code), String(error))
        assert.match(error.message, /^Cannot /)
        assert.doesNotMatch(error.message, /\n/)
      }
    }),
    { numRuns: 500 },
  )
})

test('[R6] checkRequest() refuses a configuration of very many levels', () => {
  // The plugin could not write it into its request, and ended with a stack trace.
  const levels = '['.repeat(50_000) + ']'.repeat(50_000)
  const fault = refusal({ stdin: `{"cniVersion":"1.0.0","name":"tke","type":"t","more":${levels}}` })
  assert.equal(fault.code, 6)
  assert.match(fault.message, /nested deeper than 200 levels/)
})

test('[R6] checkRequest() tells odd keys and values of CNI_ARGS in short', () => {
  const args = { ['k'.repeat(100_000)]: 1 }
  assert.throws(
    () => checkRequest({ command: 'ADD', containerId: 'a', netns: '/a', ifname: 'eth0', args, config }),
    (error) => error instanceof CniFault && error.code === 4 && error.message.length < 300,
  )
})
