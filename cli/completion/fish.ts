import { type CommandWords, type FlagWords, flagsOfProgram, type Values } from './words';

/** A script for fish 3. */
export function fishScript(commands: readonly CommandWords[]): string {
  const about = new Map(commands.map((command) => [command.path, command.about]));
  const lines = commands.flatMap(({ path, flags, values, subcommands }) => {
    const at = `-n ${quoted(`__tandem_at ${quoted(path)}`)}`;
    const names = subcommands.map((name) => {
      const inner = `${path} ${name}`.trim();
      return `complete -c tandem ${at} -a ${quoted(name)} -d ${quoted(about.get(inner) ?? '')}`;
    });
    const arguments_ =
      values.words.length > 0 || values.also !== 'any' ? [`complete -c tandem ${at}${offer(values)}`] : [];
    return [...names, ...arguments_, ...flags.map((flag) => `complete -c tandem ${at}${flagPart(flag)}`)];
  });
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  return `# Completion of tandem for fish: tandem completion fish > ~/.config/fish/completions/tandem.fish
function __tandem_at
    set -l path ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$path $word")
        contains -- $next ${paths.map(quoted).join(' ')}; or break
        set path $next
    end
    # Without a command, flags are those of generate.
    if test -z "$path"; and string match -q -- '-*' (commandline -ct) (commandline -opc)[2..-1]
        set path generate
    end
    test "$path" = "$argv[1]"
end
complete -c tandem -f
complete -c tandem -n 'test (count (commandline -opc)) -eq 1; and string match -q -- "-*" (commandline -ct)' -a ${quoted(flagsOfProgram(commands).join(' '))}
${lines.join('\n')}
`;
}

function flagPart({ names, about, values }: FlagWords): string {
  const words = names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`));
  return `${words.join('')} -d ${quoted(about)}${values === null ? '' : `${values.also === 'files' ? ' -r' : ' -x'}${offer(values)}`}`;
}

function offer({ words, also }: Values): string {
  const all = also === 'directories' ? [...words, '(__fish_complete_directories)'] : words;
  const list = all.length > 0 ? ` -a ${quoted(all.join(' '))}` : '';
  return also === 'files' ? ` -F${list}` : list;
}

function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
