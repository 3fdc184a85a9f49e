// Serves the CNI plugin on a unix socket: one request per connection; who hangs up no longer waits for an address, and who
// keeps us waiting is hung up on.

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { networkNames } from '../ipam/names.ts'
import { decodeAgentRequest, encodeAgentAnswer, lineReader } from '../wire/agent-protocol.ts'
import { CniFault, cniCode, toCniFault } from '../wire/cni-fault.ts'
import { type CniRequest, checkRequest } from '../wire/cni-request.ts'
import { formatAddResult } from '../wire/cni-result.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Agent } from './agent.ts'

interface Parts {
  readonly agent: Agent
  readonly clock: Clock
  readonly log: Log
}

/** The plugin's name in a network list whose pods have an ENI each; under the other one the pod decides. */
const exclusiveType = networkNames.exclusive

/** A plugin says what it wants as soon as it is connected, and hangs up on its answer. */
const idleLimit = 10_000

/** Listens on `path`, replacing what an earlier process left there. */
export async function serveCni(parts: Parts, path: string): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((connection) => serve(connection, parts))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600) // whoever may call it gives and takes addresses
  return server
}

function serve(connection: Socket, { agent, clock, log }: Parts): void {
  const gone = new AbortController()
  const read = lineReader('plugin')
  /** Hangs up unless the caller does its part in time: the whole request first, then the end. */
  const awaitCaller = (what: string) =>
    clock.after(idleLimit, () => {
      log.warn('CNI caller idle', { awaited: what, hungUpAfter: idleLimit })
      connection.destroy()
    })
  let stopWaiting = awaitCaller('request')
  const reply = (text: string) => {
    if (connection.destroyed) return
    stopWaiting()
    stopWaiting = awaitCaller('end')
    connection.end(text)
  }
  const onGone = () => {
    stopWaiting()
    // A reason of our own: the usual one is an error with a stack, made anew for every connection.
    gone.abort('hung up')
  }
  const onData = (chunk: string) => {
    let line: string | undefined
    try {
      line = read(chunk)
    } catch (error) {
      connection.off('data', onData)
      connection.resume() // what still comes is not kept
      reply(encodeAgentAnswer({ error: toCniFault(error) }))
      return
    }
    if (line === undefined) return
    connection.off('data', onData)
    stopWaiting() // from here it is the caller who waits
    void answer(line, agent, gone.signal, log).then(reply)
  }
  connection.setEncoding('utf8')
  connection.on('close', onGone)
  connection.on('error', onGone)
  connection.on('data', onData)
}

async function answer(line: string, agent: Agent, signal: AbortSignal, log: Log): Promise<string> {
  let request: CniRequest | undefined
  try {
    request = checkRequest(decodeAgentRequest(line))
    return encodeAgentAnswer({ result: await perform(request, agent, signal) })
  } catch (error) {
    const fault = toCniFault(error)
    log.warn('CNI call refused', { command: request?.command, code: fault.code, error: fault.message })
    return encodeAgentAnswer({ error: fault })
  }
}

async function perform(
  request: CniRequest,
  agent: Agent,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  switch (request.command) {
    case 'ADD': {
      const { containerId, ifname, netns, args, config } = request
      const pod = {
        namespace: args['K8S_POD_NAMESPACE'] ?? '',
        name: args['K8S_POD_NAME'] ?? '',
        uid: args['K8S_POD_UID'] ?? '',
      }
      const sandbox = { containerId, ifname, netns, pod }
      const wanted = config.type === exclusiveType ? 'exclusive' : undefined
      const network = await agent.add(sandbox, wanted, signal)
      const { attachment, podMac, hostMac } = network
      const host = hostMac === undefined ? undefined : { name: attachment.hostLink, mac: hostMac }
      return formatAddResult(config, {
        address: attachment.address,
        bits: network.bits,
        gateway: network.gateway,
        netns,
        mtu: network.mtu,
        pod: { name: ifname, mac: podMac },
        host,
      })
    }
    case 'DEL':
      await agent.remove(request)
      return undefined
    case 'CHECK': {
      const faults = await agent.check(request)
      if (faults.length > 0)
        throw new CniFault(cniCode.kernel, `Cannot confirm the pod's network: ${faults.join('; ')}`)
      return undefined
    }
    case 'GC':
      await agent.collect(request.validAttachments)
      return undefined
    case 'STATUS': {
      const obstacle = agent.obstacle()
      if (obstacle !== undefined) throw new CniFault(cniCode.notAvailable, `Cannot serve pods: ${obstacle}`)
      return undefined
    }
  }
}
