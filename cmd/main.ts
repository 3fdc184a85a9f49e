#!/usr/bin/env node
// The first code that runs: is this a container runtime that calls the CNI plugin, or a person (or systemd) who
// calls a subcommand? The plugin starts twice per pod, so this file and what it imports stay small.
import { basename } from 'node:path'
import { runCni } from './cni.ts'

const isPlugin = /^tke-(route|direct)-eni$/.test(basename(process.argv0))
const args = process.argv.slice(2)

// No top-level await: the executable's entry is a script, not a module.
if (isPlugin || args[0] === 'cni' || (args.length === 0 && process.env['CNI_COMMAND'])) {
  // At once: all is written, and to end in good order costs a millisecond.
  void runCni(process.env, args.slice(isPlugin ? 0 : 1)).then((code) => process.exit(code))
} else {
  // A daemon that has not read its settings yet has nothing to read again; the default would end it.
  if (args[0] === 'leader' || args[0] === 'node') process.on('SIGHUP', () => {})
  void import('./cli.ts')
    .then(({ run }) => run(args))
    .then((code) => {
      process.exitCode = code
    })
}
