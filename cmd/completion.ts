// `tke-eni completion`: scripts made from the commands themselves, so that they never lag behind.
import { Argument, Command } from 'commander'
import { commands } from './commands.ts'
import { type Host, sourceTree } from './host.ts'

interface Words {
  readonly name: string
  readonly summary: string
  /** "--output", "-o", … */
  readonly flags: readonly string[]
}

export function define(_host: Host): Command {
  return new Command()
    .addArgument(new Argument('<shell>', 'the shell it is for').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(tke-eni completion bash)\n  tke-eni completion zsh > ~/.zfunc/_tke-eni\n  tke-eni completion fish > ~/.config/fish/completions/tke-eni.fish',
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      process.stdout.write(scripts[shell](await words()))
    })
}

async function words(): Promise<readonly Words[]> {
  const known = await Promise.all(
    commands.map(async ({ name, summary, load }) => {
      const { options, registeredArguments } = (await load()).define(sourceTree)
      const flags = options
        .filter((option) => !option.hidden)
        .flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined))
      return {
        name,
        summary,
        flags: [...flags, '--help', ...registeredArguments.flatMap((a) => a.argChoices ?? [])],
      }
    }),
  )
  return [...known, { name: 'help', summary: 'Print help', flags: commands.map(({ name }) => name) }]
}

const scripts: Readonly<Record<'bash' | 'zsh' | 'fish', (words: readonly Words[]) => string>> = {
  bash: (words) => `# bash completion of tke-eni
_tke_eni() {
  local words
  if [ "$COMP_CWORD" -eq 1 ]; then words="${words.map(({ name }) => name).join(' ')}"
  else
    case "\${COMP_WORDS[1]}" in
${words.map(({ name, flags }) => `      ${name}) words="${flags.join(' ')}" ;;`).join('\n')}
      *) words="" ;;
    esac
  fi
  COMPREPLY=( $(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}") )
}
complete -o default -F _tke_eni tke-eni
`,
  zsh: (words) => `#compdef tke-eni
_tke_eni() {
  if (( CURRENT == 2 )); then
    local -a commands=(${words.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", '')}'`).join(' ')})
    _describe command commands
    return
  fi
  case $words[2] in
${words.map(({ name, flags }) => `    ${name}) compadd -- ${flags.join(' ')}; _files ;;`).join('\n')}
  esac
}
compdef _tke_eni tke-eni
`,
  fish: (words) =>
    [
      '# fish completion of tke-eni',
      ...words.flatMap(({ name, summary, flags }) => [
        `complete -c tke-eni -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", '')}'`,
        `complete -c tke-eni -n '__fish_seen_subcommand_from ${name}' -a '${flags.join(' ')}'`,
      ]),
      '',
    ].join('\n'),
}
