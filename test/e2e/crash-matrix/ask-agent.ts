// A call of the agent's socket as the plugin makes it, for what the dev cluster's kubelet does not ask.
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { encodeAgentRequest } from '../../../internal/wire/agent-protocol.ts'

interface SandboxRow {
  readonly container_id: string
  readonly ifname: string
  readonly netns: string
}

/** The answer as a line; empty when the agent hung up. Rejects when it cannot be reached. */
export function askAgent(socket: string, command: string, sandbox: SandboxRow): Promise<string> {
  const connection = connect(socket)
  connection.write(
    encodeAgentRequest({
      command,
      containerId: sandbox.container_id,
      netns: sandbox.netns,
      ifname: sandbox.ifname,
      args: {},
      config: {
        cniVersion: '1.0.0',
        name: 'tke-eni',
        type: 'tke-route-eni',
        socket,
        prevResult: { cniVersion: '1.0.0' },
      },
    }),
  )
  return text(connection)
}
