import { type CommandWords, type FlagWords, flagsOfProgram, type Values } from './words';

/** A script for zsh 5. Saved as _tandem in a folder of $fpath, or sourced after compinit. */
export function zshScript(commands: readonly CommandWords[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const about = new Map(commands.map((command) => [command.path, command.about]));
  const cases = commands.map(({ path, flags, values, subcommands }) => {
    const withValues = flags.filter((flag) => flag.values !== null);
    const names = subcommands.map((name) => [name, about.get(`${path} ${name}`.trim()) ?? ''] as const);
    return `    ${quoted(path)})
      case $previous in
${withValues.map((flag) => `        ${flag.names.join('|')}) ${offer(flag.values as Values)} return ;;`).join('\n')}
      esac
      if [[ $current == -* ]]; then ${described(flags.flatMap(rows))}
      else ${described(names)} ${offer(values)} fi ;;`;
  });
  return `#compdef tandem
# Completion of tandem for zsh: tandem completion zsh > "\${fpath[1]}/_tandem", or source <(tandem completion zsh) after compinit.
_tandem_described() {
  local -a names lines
  local name about
  for name about in "$@"; do names+=("$name"); lines+=("$name  $about"); done
  compadd -l -d lines -a names
}
_tandem() {
  local current=\${words[CURRENT]} previous=\${words[CURRENT-1]} path_= i
  for ((i = 2; i < CURRENT; i++)); do
    case "\${path_:+$path_ }\${words[i]}" in
${paths.map((path) => `      ${quoted(path)}) path_=${quoted(path)} ;;`).join('\n')}
      *) break ;;
    esac
  done
  # Without a command, flags are those of generate.
  if [[ -z $path_ && ( $current == -* || $CURRENT -gt 2 ) ]]; then
    if [[ $CURRENT -eq 2 ]]; then compadd -- ${flagsOfProgram(commands).map(quoted).join(' ')}; fi
    path_=generate
  fi
  case $path_ in
${cases.join('\n')}
  esac
}
if (( $+functions[compdef] )); then compdef _tandem tandem; fi
if [[ \${funcstack[1]} == _tandem ]]; then _tandem "$@"; fi
`;
}

function rows({ names, about }: FlagWords) {
  return names.map((name) => [name, about] as const);
}

function described(rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return ':;';
  return `_tandem_described ${rows.flat().map(quoted).join(' ')};`;
}

function offer({ words, also }: Values): string {
  const parts = words.length > 0 ? [`compadd -- ${words.map(quoted).join(' ')};`] : [];
  if (also !== 'any') parts.push(`_files${also === 'files' ? '' : ' -/'};`);
  return parts.join(' ') || ':;';
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
