// What the file of a subcommand gives to whoever calls it.
import type { Command } from 'commander'
import type { Host } from './host.ts'

export interface CommandModule {
  /** The command with its options, help and action. */
  define(host: Host): Command
  /** Loads what the action loads later; see `warm` in cli.ts. */
  preload?(): Promise<unknown>
}
