// Every subcommand there is. A line here is all that the others cost: a command's code is loaded when it is called.
import type { CommandModule } from './command-module.ts'

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'version',
    summary: 'Print the version of the program and of what it is made of',
    load: () => import('./version.ts'),
  },
  {
    name: 'leader',
    summary: 'Keep the pools of all nodes: the one that calls the cloud',
    load: () =>
      import('./leader.ts').then(({ leaderCommand }) => leaderCommand(() => import('./leader-process.ts'))),
  },
  {
    name: 'node',
    summary: 'Serve the pods of this node from its pool',
    load: () => import('./node.ts').then(({ nodeCommand }) => nodeCommand(() => import('./node-wiring.ts'))),
  },
  {
    name: 'dev',
    summary: 'Run the whole system on this machine, with a simulated cloud; --tour shows it working',
    load: () => import('./dev.ts'),
  },
  {
    name: 'get',
    summary: 'Show addresses, EIPs, claims, ENIs, nodes, NECs, subnets, intents and the history of addresses',
    load: () => import('./get.ts'),
  },
  {
    name: 'describe',
    summary: 'Show all that is known of an address or a claim, with its history',
    load: () => import('./describe.ts'),
  },
  {
    name: 'delete',
    summary: 'Give the address or the EIP of a claim back',
    load: () => import('./delete.ts'),
  },
  {
    name: 'plan',
    summary: 'Tell what changed settings would bind, free and call, before they are applied',
    load: () => import('./plan.ts'),
  },
  {
    name: 'db',
    summary: 'Check, back up, restore and rebuild the databases',
    load: () => import('./db.ts'),
  },
  {
    name: 'uninstall',
    summary: 'Release all EIPs that were made for pods of a cluster',
    load: () => import('./uninstall.ts'),
  },
  {
    name: 'vpc-sim',
    summary: 'Serve a simulated VPC over HTTP, for tests and for trying things out',
    load: () => import('./vpc-sim.ts'),
  },
  {
    name: 'completion',
    summary: 'Print a completion script for bash, zsh or fish',
    load: () => import('./completion.ts'),
  },
]
