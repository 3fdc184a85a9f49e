// Serves the CNI plugin on a unix socket: one request per connection; who hangs up no longer waits for an address.
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Log } from '../base/log.ts'
import { podGateway } from '../ipam/pod-gateway.ts'
import { decodeAgentRequest, encodeAgentAnswer, lineReader } from '../wire/agent-protocol.ts'
import { CniFault, cniCode, toCniFault } from '../wire/cni-fault.ts'
import { type CniRequest, checkRequest } from '../wire/cni-request.ts'
import { formatAddResult } from '../wire/cni-result.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Agent } from './agent.ts'

/** Listens on `path`, replacing what an earlier process left there. */
export async function serveCni(agent: Agent, path: string, log: Log): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((connection) => serve(connection, agent, log))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600) // whoever may call it gives and takes addresses
  return server
}

function serve(connection: Socket, agent: Agent, log: Log): void {
  const gone = new AbortController()
  const read = lineReader('plugin')
  connection.setEncoding('utf8')
  // A reason of our own: the usual one is an error with a stack, made anew for every connection.
  connection.on('close', () => gone.abort('hung up'))
  connection.on('error', () => gone.abort('hung up'))
  const onData = (chunk: string) => {
    let line: string | undefined
    try {
      line = read(chunk)
    } catch (error) {
      connection.off('data', onData)
      connection.resume() // what still comes is not kept
      connection.end(encodeAgentAnswer({ error: toCniFault(error) }))
      return
    }
    if (line === undefined) return
    connection.off('data', onData)
    void answer(line, agent, gone.signal, log).then((text) => {
      if (!connection.destroyed) connection.end(text)
    })
  }
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
      const network = await agent.add({ containerId, ifname, netns, pod }, signal)
      const { attachment, mtu, podMac, hostMac } = network
      return formatAddResult(config, {
        address: attachment.address,
        gateway: podGateway,
        netns,
        mtu,
        pod: { name: ifname, mac: podMac },
        host: { name: attachment.hostLink, mac: hostMac },
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
