// The connections of the SDK: kept alive and shared, and for each call it is known whether the request can have left.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Endpoint } from './endpoint.ts'

export interface Sending {
  run<T>(send: () => Promise<T>): Promise<T>
  /** False only while its own connection has not been made. */
  mayHaveLeft(): boolean
}

export interface CallAgent {
  readonly agent: HttpAgent
  readonly protocol: 'http://' | 'https://'
  /** `beforeSend` is called when a connection has been made for the call; when it throws, nothing is sent on it. */
  watch(beforeSend?: () => void): Sending
}

/** Idle connections are closed before the far end does it: a request on a dying connection has an unknown outcome. */
const idleMs = 10_000

interface Connecting {
  connecting: boolean
  readonly beforeSend: (() => void) | undefined
}

/** An agent that connects to `endpoint`, or over TLS to the host of the request. */
export function callAgent(endpoint: Endpoint | undefined): CallAgent {
  const calls = new AsyncLocalStorage<Connecting>()
  const settings: AgentOptions = { keepAlive: true, timeout: idleMs, scheduling: 'lifo' }

  /** Called while the request is made, thus within its call; a call that finds an idle connection never comes here. */
  function note<T extends Duplex | null | undefined>(socket: T, connected: string): T {
    const call = calls.getStore()
    if (call === undefined) return socket
    call.connecting = true
    // Before what waits for the connection is written: that has a listener as well, and a later one.
    socket?.once(connected, () => {
      try {
        call.beforeSend?.()
        call.connecting = false
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    return socket
  }

  function plainAgent(to: Endpoint): HttpAgent {
    class PlainAgent extends HttpAgent {
      override createConnection(): Socket {
        return note(connect(to), 'connect')
      }
    }
    return new PlainAgent(settings)
  }

  class TlsAgent extends HttpsAgent {
    override createConnection(...args: Parameters<HttpsAgent['createConnection']>) {
      return note(super.createConnection(...args), 'secureConnect')
    }
  }

  return {
    agent: endpoint === undefined ? new TlsAgent(settings) : plainAgent(endpoint),
    protocol: endpoint === undefined ? 'https://' : 'http://',
    watch(beforeSend) {
      const call: Connecting = { connecting: false, beforeSend }
      return { run: (send) => calls.run(call, send), mayHaveLeft: () => !call.connecting }
    },
  }
}
