#!/usr/bin/env node
// The first code that runs: is this a container runtime that calls the CNI plugin, or a person (or systemd) who
// calls a subcommand? The plugin starts twice per pod, so this file and what it imports stay small.
import { basename } from 'node:path'
import { runCni } from './cni.ts'

function main(args: readonly string[]): Promise<number> {
  const isPlugin = /^tke-(route|direct)-eni$/.test(basename(process.argv0))
  if (isPlugin || args[0] === 'cni' || (args.length === 0 && process.env['CNI_COMMAND'])) {
    return runCni(process.env, args.slice(isPlugin ? 0 : 1))
  }
  return import('./cli.ts').then(({ run }) => run(args))
}

// No top-level await: the executable's entry is a script, not a module.
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
