import { type CommandWords, flagsOfProgram, type Values } from './words';

/** A script for bash 4 and later. It uses nothing of the package bash-completion. */
export function bashScript(commands: readonly CommandWords[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const cases = commands.map(
    ({ path, flags, values, subcommands }) => `    ${quoted(path)})
      case $previous in
${flags
  .filter((flag) => flag.values !== null)
  .map((flag) => `        ${flag.names.join('|')}) ${offer(flag.values as Values)} return ;;`)
  .join('\n')}
      esac
      if [[ $current == -* ]]; then _tandem_words ${quoted(flags.flatMap(({ names }) => names).join(' '))}
      else ${offer({ ...values, words: [...subcommands, ...values.words] })} fi ;;`,
  );
  return `# Completion of tandem for bash: source <(tandem completion bash)
_tandem_words() { COMPREPLY+=($(compgen -W "$1" -- "$current")); }
_tandem_files() { compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen "$1" -- "$current")); }
_tandem() {
  local IFS=$' \\t\\n' current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path= word i
  COMPREPLY=()
  if [[ $current == '=' ]]; then current=
  elif [[ $previous == '=' ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
${paths.map((path) => `      ${quoted(path)}) path=${quoted(path)} ;;`).join('\n')}
      *) break ;;
    esac
  done
  # Without a command, flags are those of generate.
  if [[ -z $path && ( $current == -* || $COMP_CWORD -gt 1 ) ]]; then
    if [[ $COMP_CWORD -eq 1 ]]; then _tandem_words ${quoted(flagsOfProgram(commands).join(' '))}; fi
    path=generate
  fi
  case $path in
${cases.join('\n')}
  esac
}
complete -F _tandem tandem
`;
}

function offer({ words, also }: Values): string {
  const parts = words.length > 0 ? [`_tandem_words ${quoted(words.join(' '))};`] : [];
  if (also !== 'any') parts.push(`_tandem_files ${also === 'files' ? '-f' : '-d'};`);
  return parts.join(' ') || ':;';
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
