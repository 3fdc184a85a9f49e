// What a container runtime asks of a CNI plugin: environment and network configuration, read and checked.
// Used by the plugin on what the runtime gave it, and by the agent on what the plugin sent.
import { type Millis, parseDuration } from '../value/millis.ts'
import { CniFault, cniCode } from './cni-fault.ts'
import { type CniVersion, cniVersions, isAtLeast, parseCniVersion } from './cni-version.ts'
import { isDeeperThan, isRecord, type JsonObject, maxLevels, parseJson, quoteJson } from './json.ts'

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS'

/** One interface of one sandbox: what an address is given to. */
export interface CniAttachment {
  readonly containerId: string
  readonly ifname: string
}

/** What earlier plugins of the list made, in the form of the configuration's version; kept as it came. */
export interface PrevResult {
  readonly interfaces: readonly JsonObject[]
  readonly ips: readonly JsonObject[]
  readonly routes: readonly JsonObject[]
  readonly dns: JsonObject
}

export interface CniConfig {
  readonly cniVersion: CniVersion
  /** Of the network, as the conflist says. */
  readonly name: string
  /** Of the plugin: "tke-route-eni" or "tke-direct-eni". */
  readonly type: string
  /** The agent's socket, when the configuration names one. */
  readonly socket: string | undefined
  /** How long the plugin waits for the agent, when the configuration says so. */
  readonly timeout: Millis | undefined
  readonly dns: JsonObject
  readonly prevResult: PrevResult | undefined
  /** GC: every attachment the runtime still has. An early libcni wrote the key without "valid-". */
  readonly validAttachments: readonly CniAttachment[] | undefined
}

export type CniArgs = Readonly<Record<string, string>>

export type CniRequest =
  | (CniAttachment & {
      readonly command: 'ADD' | 'CHECK'
      readonly netns: string
      readonly args: CniArgs
      readonly config: CniConfig
    })
  | (CniAttachment & {
      readonly command: 'DEL'
      /** Missing when the namespace is gone already. */
      readonly netns: string | undefined
      readonly args: CniArgs
      readonly config: CniConfig
    })
  | {
      readonly command: 'GC'
      readonly validAttachments: readonly CniAttachment[]
      readonly config: CniConfig
    }
  | { readonly command: 'STATUS'; readonly config: CniConfig }

/** A request before it is checked; what travels from plugin to agent. */
export interface RawCniRequest {
  readonly command: unknown
  readonly containerId?: unknown
  readonly netns?: unknown
  readonly ifname?: unknown
  readonly args?: unknown
  readonly config: unknown
}

/**
 * What the runtime handed to the plugin, checked but not yet interpreted; `VERSION` is not for here.
 * Throws CniFault: invalidEnvironment, decodeFailure.
 */
export function readRawRequest(
  env: Readonly<Record<string, string | undefined>>,
  stdin: string,
): RawCniRequest {
  const config = parseJson(stdin)
  if (config === undefined) {
    const found = stdin.trim() === '' ? 'it is empty' : 'it is not JSON'
    throw new CniFault(
      cniCode.decodeFailure,
      `Cannot read the network configuration on standard input: ${found}`,
    )
  }
  const text = (name: string): string | undefined => env[name] || undefined
  return {
    command: text('CNI_COMMAND'),
    containerId: text('CNI_CONTAINERID'),
    netns: text('CNI_NETNS'),
    ifname: text('CNI_IFNAME'),
    args: parseArgs(text('CNI_ARGS') ?? ''),
    config,
  }
}

/** Throws CniFault: invalidEnvironment, decodeFailure, invalidConfig, incompatibleVersion. */
export function checkRequest(raw: RawCniRequest): CniRequest {
  const command = checkCommand(raw.command)
  const config = checkConfig(raw.config)
  refuseTooOld(command, config.cniVersion)
  if (command === 'STATUS') return { command, config }
  if (command === 'GC') return { command, config, validAttachments: requireAttachments(config) }
  const attachment = {
    containerId: checkContainerId(raw.containerId, 'CNI_CONTAINERID'),
    ifname: checkIfname(raw.ifname, 'CNI_IFNAME'),
    args: checkArgs(raw.args),
    config,
  }
  if (command === 'DEL') {
    return { ...attachment, command, netns: raw.netns === undefined ? undefined : checkNetns(raw.netns) }
  }
  if (command === 'CHECK' && config.prevResult === undefined) {
    throw new CniFault(
      cniCode.invalidConfig,
      'Cannot check the pod: the network configuration has no "prevResult"',
    )
  }
  return { ...attachment, command, netns: checkNetns(raw.netns) }
}

function checkCommand(command: unknown): CniCommand {
  switch (command) {
    case 'ADD':
    case 'DEL':
    case 'CHECK':
    case 'GC':
    case 'STATUS':
      return command
    case undefined:
      throw badEnvironment('CNI_COMMAND', 'is not set')
    default:
      throw badEnvironment(
        'CNI_COMMAND',
        `is ${quoteJson(command)}, not one of ADD, DEL, CHECK, GC, STATUS, VERSION`,
      )
  }
}

const since: Readonly<Partial<Record<CniCommand, CniVersion>>> = {
  CHECK: '0.4.0',
  GC: '1.1.0',
  STATUS: '1.1.0',
}

function refuseTooOld(command: CniCommand, version: CniVersion): void {
  const minimum = since[command]
  if (minimum === undefined || isAtLeast(version, minimum)) return
  throw new CniFault(
    cniCode.incompatibleVersion,
    `Cannot serve ${command}: the configuration is of version ${version}, ${command} exists since ${minimum}`,
  )
}

/** A list that is missing is not an empty list: it would free every address of the node. */
function requireAttachments(config: CniConfig): readonly CniAttachment[] {
  if (config.validAttachments !== undefined) return config.validAttachments
  throw badConfig('cni.dev/valid-attachments', undefined, 'an array')
}

function checkConfig(config: unknown): CniConfig {
  if (!isRecord(config)) {
    throw new CniFault(
      cniCode.decodeFailure,
      'Cannot read the network configuration: it is not a JSON object',
    )
  }
  if (isDeeperThan(config, maxLevels)) {
    throw new CniFault(
      cniCode.decodeFailure,
      `Cannot read the network configuration: it is nested deeper than ${maxLevels} levels`,
    )
  }
  const cniVersion = parseCniVersion(config['cniVersion'])
  if (cniVersion === undefined) {
    throw new CniFault(
      cniCode.incompatibleVersion,
      `Cannot use the network configuration: "cniVersion" is ${quoteJson(config['cniVersion'])}, supported are ${cniVersions.join(', ')}`,
    )
  }
  const name = config['name']
  if (typeof name !== 'string' || !identifier.test(name) || name.length > 253) {
    throw badConfig(
      'name',
      config['name'],
      'a network name (letters, digits, "_", ".", "-"; it starts with a letter or digit)',
    )
  }
  const type = config['type']
  if (typeof type !== 'string' || type === '') throw badConfig('type', type, 'the name of the plugin')
  return {
    cniVersion,
    name,
    type,
    socket: checkSocket(config['socket']),
    timeout: checkTimeout(config['timeout']),
    dns: checkDns(config['dns']),
    prevResult: checkPrevResult(config['prevResult']),
    validAttachments: checkValidAttachments(
      config['cni.dev/valid-attachments'] ?? config['cni.dev/attachments'],
    ),
  }
}

function checkSocket(socket: unknown): string | undefined {
  if (socket === undefined) return undefined
  if (!isPath(socket)) throw badConfig('socket', socket, "the absolute path of the agent's socket")
  return socket
}

function checkTimeout(timeout: unknown): Millis | undefined {
  if (timeout === undefined) return undefined
  const duration = typeof timeout === 'string' ? parseDuration(timeout) : undefined
  if (duration === undefined || duration < 1000 || duration > 600_000) {
    throw badConfig('timeout', timeout, 'a duration of 1s to 10m')
  }
  return duration
}

function checkDns(dns: unknown): JsonObject {
  if (dns === undefined || dns === null) return {}
  if (!isRecord(dns)) throw badConfig('dns', dns, 'an object')
  return dns
}

function checkPrevResult(result: unknown): PrevResult | undefined {
  if (result === undefined || result === null) return undefined
  if (!isRecord(result)) throw badConfig('prevResult', result, 'an object')
  const objects = (key: string): readonly JsonObject[] => {
    const value = result[key] ?? []
    if (!Array.isArray(value) || !value.every(isRecord)) {
      throw badConfig(`prevResult.${key}`, value, 'an array of objects')
    }
    return value
  }
  const dns = result['dns'] ?? {}
  if (!isRecord(dns)) throw badConfig('prevResult.dns', dns, 'an object')
  return { interfaces: objects('interfaces'), ips: objects('ips'), routes: objects('routes'), dns }
}

function checkValidAttachments(value: unknown): readonly CniAttachment[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw badConfig('cni.dev/valid-attachments', value, 'an array')
  return value.map((item: unknown) => {
    if (!isRecord(item)) throw badConfig('cni.dev/valid-attachments', item, 'an array of objects')
    return {
      containerId: checkContainerId(item['containerID'], 'cni.dev/valid-attachments: containerID'),
      ifname: checkIfname(item['ifname'], 'cni.dev/valid-attachments: ifname'),
    }
  })
}

const identifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

function checkContainerId(id: unknown, name: string): string {
  if (id === undefined) throw badEnvironment(name, 'is not set')
  if (typeof id !== 'string' || !identifier.test(id) || id.length > 253) {
    throw badEnvironment(name, `is ${quoteJson(id)}, not letters, digits, "_", "." and "-"`)
  }
  return id
}

function checkIfname(ifname: unknown, name: string): string {
  if (ifname === undefined) throw badEnvironment(name, 'is not set')
  if (
    typeof ifname !== 'string' ||
    !/^[\x21-\x7e]{1,15}$/.test(ifname) ||
    /[/:]/.test(ifname) ||
    ifname === '.' ||
    ifname === '..'
  ) {
    throw badEnvironment(name, `is ${quoteJson(ifname)}, not a name that Linux takes for an interface`)
  }
  return ifname
}

function checkNetns(netns: unknown): string {
  if (netns === undefined) throw badEnvironment('CNI_NETNS', 'is not set')
  if (!isPath(netns)) throw badEnvironment('CNI_NETNS', `is ${quoteJson(netns)}, not an absolute path`)
  return netns
}

function parseArgs(text: string): CniArgs {
  const pairs = text.split(';').filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1)
        throw badEnvironment('CNI_ARGS', `has ${quoteJson(pair)} in it, not KEY=VALUE pairs between ";"`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

function checkArgs(args: unknown): CniArgs {
  if (args === undefined) return {}
  if (!isRecord(args)) throw badEnvironment('CNI_ARGS', `is ${quoteJson(args)}, not pairs of texts`)
  const entries = Object.entries(args)
  for (const [key, value] of entries) {
    if (typeof value !== 'string')
      throw badEnvironment('CNI_ARGS', `has ${quoteJson(value)} as ${quoteJson(key)}`)
  }
  return Object.fromEntries(entries) as CniArgs
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && value.length < 4096 && !value.includes('\0')
}

function badEnvironment(name: string, found: string): CniFault {
  return new CniFault(cniCode.invalidEnvironment, `Cannot read the request: ${name} ${found}`)
}

function badConfig(key: string, found: unknown, wanted: string): CniFault {
  return new CniFault(
    cniCode.invalidConfig,
    `Cannot use the network configuration: "${key}" is ${quoteJson(found)}, not ${wanted}`,
  )
}
