// Asks the node agent as the plugin does, from this process: what is left of a call without the start of a plugin.
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { decodeAgentAnswer, encodeAgentRequest } from '../../../internal/wire/agent-protocol.ts'
import type { Launch } from './launch.ts'

/** Milliseconds of each call. Throws the agent's error. */
export async function askAgent(socket: string, { command, how, first, count }: Launch): Promise<number[]> {
  const sandboxes = Array.from({ length: count }, (_, index) => first + index)
  const ask = (sandbox: number): Promise<number> => call(socket, command, sandbox)
  if (how === 'together') return Promise.all(sandboxes.map(ask))
  const times: number[] = []
  for (const sandbox of sandboxes) times.push(await ask(sandbox))
  return times
}

async function call(socket: string, command: string, sandbox: number): Promise<number> {
  const begin = performance.now()
  const connection = connect(socket)
  await once(connection, 'connect')
  connection.write(
    encodeAgentRequest({
      command,
      containerId: `bench-${sandbox}`,
      netns: `/run/netns/bench-${sandbox}`,
      ifname: 'eth0',
      args: { K8S_POD_NAMESPACE: 'bench', K8S_POD_NAME: `pod-${sandbox}`, K8S_POD_UID: `uid-${sandbox}` },
      config: { cniVersion: '1.0.0', name: 'tke-eni', type: 'tke-route-eni', socket },
    }),
  )
  const answer = decodeAgentAnswer((await text(connection)).trimEnd())
  if ('error' in answer) throw answer.error
  return performance.now() - begin
}
