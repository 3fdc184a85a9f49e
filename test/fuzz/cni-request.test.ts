// What a container runtime hands to the plugin, through everything that reads it.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  decodeAgentAnswer,
  decodeAgentRequest,
  encodeAgentAnswer,
  encodeAgentRequest,
} from '../../internal/wire/agent-protocol.ts'
import { CniFault, formatCniFault } from '../../internal/wire/cni-fault.ts'
import { checkRequest, type RawCniRequest, readRawRequest } from '../../internal/wire/cni-request.ts'
import { formatAddResult } from '../../internal/wire/cni-result.ts'
import { answerVersion, cniVersions, versionToAnswerIn } from '../../internal/wire/cni-version.ts'
import { ip, mac } from '../given.ts'
import { cniInput, commands, stdin, validConfig } from './cni-inputs.ts'
import { fuzz } from './fuzz.ts'
import { mutateText, mutations } from './mutate.ts'
import { oddName, oddText, oddValue } from './odd.ts'
import { assertOurs, outcome } from './outcome.ts'

const connection = {
  address: ip('10.0.1.5'),
  bits: 32,
  gateway: ip('169.254.1.1'),
  netns: '/run/netns/a',
  mtu: 1500,
  pod: { name: 'eth0', mac: mac('02:00:00:00:00:01') },
  host: { name: 'tke1', mac: mac('02:00:00:00:00:02') },
}

fuzz(
  '[R6] whatever the runtime says, it is understood or refused with a CNI error',
  cniInput,
  ({ env, stdin: bytes }) => {
    const text = bytes.toString('utf8')
    const raw = refusable(undefined, () => readRawRequest(env, text))
    if (raw === undefined) return
    const request = refusable(raw, () => checkRequest(raw))
    if (request === undefined) return
    const sent = decodeAgentRequest(encodeAgentRequest(raw).trimEnd())
    assert.deepEqual(checkRequest(sent), request, 'the agent understands what the plugin did')
    if (request.command !== 'ADD') return
    const answer = encodeAgentAnswer({ result: formatAddResult(request.config, connection) })
    assert.ok('result' in decodeAgentAnswer(answer.trimEnd()))
  },
)

fuzz('[R6] VERSION is answered whatever stands on standard input', stdin, (bytes) => {
  const { cniVersion, supportedVersions } = JSON.parse(answerVersion(bytes.toString('utf8'))) as {
    cniVersion: string
    supportedVersions: unknown
  }
  assert.deepEqual(supportedVersions, cniVersions)
  assert.ok(cniVersions.some((version) => version === cniVersion))
})

const validRequest = {
  v: 1,
  command: 'ADD',
  containerId: 'c-1',
  netns: '/run/netns/c-1',
  ifname: 'eth0',
  args: { K8S_POD_NAMESPACE: 'default', K8S_POD_NAME: 'web', K8S_POD_UID: 'u-1' },
  config: validConfig,
}

fuzz(
  '[R6] a request that is wrong in places is understood or refused, on the side of the agent',
  fc.tuple(fc.constantFrom(...commands), mutations),
  ([command, changes]) => {
    const line = mutateText({ ...validRequest, command }, changes)
    const raw = outcome(() => decodeAgentRequest(line))
    if (raw !== undefined) refusable(raw, () => checkRequest(raw))
  },
)

fuzz(
  '[R6] values of any type instead of a request are refused with a CNI error',
  fc.record({
    command: oddName,
    containerId: oddName,
    netns: oddName,
    ifname: oddName,
    args: oddName,
    config: oddName,
  }),
  (names) => {
    const raw = Object.fromEntries(
      Object.entries(names).map(([key, name]) => [key, oddValue(name)]),
    ) as unknown as RawCniRequest
    for (const command of commands) refusable(raw, () => checkRequest({ ...raw, command }))
    refusable(raw, () => checkRequest(raw))
  },
)

const answers = [
  { v: 1, result: { cniVersion: '1.1.0', ips: [] } },
  { v: 2, error: { code: 11, msg: 'Cannot x: y', details: 'z' } },
]

fuzz(
  '[R6] the plugin understands the answer of an agent, or says that it does not',
  fc.oneof(
    fc.tuple(fc.constantFrom(...answers), mutations).map(([answer, changes]) => mutateText(answer, changes)),
    oddText,
  ),
  (line) => {
    const answer = outcome(() => decodeAgentAnswer(line))
    if (answer !== undefined && 'error' in answer) formatCniFault(answer.error, '1.1.0')
  },
)

/** What `work` gives; when it refuses, the runtime gets an error object that it can read. */
function refusable<T>(raw: RawCniRequest | undefined, work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    assertOurs(error)
    assert.ok(error instanceof CniFault)
    const version = versionToAnswerIn(raw?.config)
    const object = JSON.parse(formatCniFault(error, version)) as Record<string, unknown>
    assert.equal(object['cniVersion'], version)
    assert.equal(object['code'], error.code)
    assert.equal(typeof object['msg'], 'string')
    return undefined
  }
}
