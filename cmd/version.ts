// `tke-eni version`
import { Command, Option } from 'commander'
import { buildInfo } from './build-info.ts'
import type { Host } from './host.ts'

export function define(host: Host): Command {
  return new Command()
    .addOption(
      new Option('-o, --output <form>', 'form of the output').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', '\nExample:\n  tke-eni version -o json')
    .action(({ output }: { output: 'text' | 'json' }) => {
      const info = buildInfo()
      const { version, commit, node, sqlite } = info
      if (output === 'json') {
        const facts = { ...info, arch: process.arch, codeCache: host.codeCache }
        process.stdout.write(`${JSON.stringify(facts)}\n`)
      } else {
        const built = commit === undefined ? '' : ` (${commit})`
        process.stdout.write(
          `tke-eni ${version}${built}, Node.js ${node}, SQLite ${sqlite}, ${process.arch}\n`,
        )
      }
    })
}
