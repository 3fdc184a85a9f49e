// What `dev` asks of its part inside the sandbox, and what that answers: a line of JSON each, any number at a time.
import type { LogLevel } from '../../internal/base/log.ts'
import type { ConnectSettings } from '../../internal/kube/connect.ts'
import type { FabricNode } from '../../internal/sim/fabric/plan-fabric.ts'

export interface PingReport {
  readonly sent: number
  readonly received: number
  /** Mean round trip. */
  readonly meanMs: number | undefined
}

/** What the kernel of one node holds of ours. */
export interface KernelReport {
  /** Addresses with a route to a pod's link, one for each route. */
  readonly linked: readonly string[]
  /** Addresses that have a rule. */
  readonly ruled: readonly string[]
  /** Of every link in the node's own namespace. */
  readonly macs: readonly string[]
  /** Pod links that say whose they are. */
  readonly named: readonly string[]
}

export interface NodeStart {
  readonly node: string
  readonly address: string
  /** Of the agent, until it is restarted with others. */
  readonly flags: readonly string[]
  /** How the agent finds the API server. */
  readonly apiFlags: readonly string[]
  readonly kubelet: ConnectSettings
}

/** Every request, with what it takes and gives. */
export interface HostCalls {
  /** The network as the cloud has it. */
  fabric: { take: { readonly nodes: readonly FabricNode[] }; give: null }
  /** Starts agent and kubelet of a node whose network is there. */
  startNode: { take: NodeStart; give: null }
  /** Kills the agent; it is started again, with other flags when given. */
  killAgent: { take: { readonly node: string; readonly flags?: readonly string[] }; give: null }
  runStatic: { take: { readonly node: string; readonly name: string }; give: string }
  endStatic: { take: { readonly node: string; readonly name: string }; give: null }
  ping: {
    take: {
      readonly node: string
      readonly pod: string
      readonly to: string
      readonly count: number
      readonly intervalMs: number
    }
    give: PingReport
  }
  /** A host out there, which reaches pods by their EIPs, and which pods with EIPs reach. Throws where the machine cannot have one. */
  outside: { take: null; give: { readonly address: string } }
  pingFromOutside: {
    take: { readonly to: string; readonly count: number; readonly intervalMs: number }
    give: PingReport
  }
  kernel: { take: { readonly node: string }; give: KernelReport }
}

export type HostCall = keyof HostCalls

export interface HostRequest {
  readonly id: number
  readonly call: HostCall
  readonly take: unknown
}

export type HostAnswer =
  | { readonly id: number; readonly give: unknown }
  | { readonly id: number; readonly error: string }

/** What the sandbox is told at its start. */
export interface HostSettings {
  readonly directory: string
  /** The command line of tke-eni. */
  readonly program: readonly [string, ...string[]]
  readonly logLevel: LogLevel
}
