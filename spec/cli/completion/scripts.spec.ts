/** What the scripts of completion have for each command and flag, where a shell to run them may be missing. */
import type { Command, Option } from 'commander';
import { fishScript } from '../../../cli/completion/fish';
import { wordsOf } from '../../../cli/completion/words';
import { zshScript } from '../../../cli/completion/zsh';
import { buildProgram } from '../../../cli/program';

const PROGRAM = buildProgram([], new AbortController().signal);
/** Every command by its path, that of the program included. */
const COMMANDS = new Map<string, Command>(
  [PROGRAM, ...PROGRAM.commands].flatMap((command): [string, Command][] => {
    const path = command === PROGRAM ? '' : command.name();
    const inner = command === PROGRAM ? [] : command.commands;
    return [[path, command], ...inner.map((one): [string, Command] => [`${path} ${one.name()}`, one])];
  }),
);
const shown = (command: Command) => command.options.filter(({ hidden }) => !hidden);
const takesValue = ({ required, optional }: Option) => required || optional;

describe('the script for fish', () => {
  const lines = fishScript(wordsOf(PROGRAM)).split('\n');
  /** What stands after the condition of each line of a command. */
  const linesOf = (path: string) => {
    const start = `complete -c tandem -n '__tandem_at \\'${path}\\''`;
    return lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
  };
  const isFlag = (line: string) => / -[ls] /.test(line.split(" -d '")[0]);

  it.each([...COMMANDS])(
    'has of %j its flags, the short name beside the long one, and whether a value follows',
    (path, command) => {
      const names = linesOf(path)
        .filter(isFlag)
        .map((line) => {
          const [, before, after] = /^(.*?) -d '(?:[^'\\]|\\.)+'(.*)$/.exec(line) ?? [];
          return [before, / -[rx]/.test(after)];
        });
      const expected = shown(command).map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
        return [`${short} -l ${option.long?.slice(2)}`, takesValue(option)];
      });
      expect(names).toEqual([...expected, [' -s h -l help', false]]);
    },
  );

  it.each([...COMMANDS])(
    'has of %j its subcommands, and one line more where an argument has words or files',
    (path, command) => {
      const others = linesOf(path).filter((line) => !isFlag(line));
      const subcommands = command.commands.map((one) =>
        expect.stringMatching(new RegExp(`^ -a '${one.name()}' -d '.+'$`)),
      );
      const rest = others.slice(subcommands.length);
      expect(others.slice(0, subcommands.length)).toEqual(subcommands);
      const [argument] = command.registeredArguments;
      const choices = argument?.argChoices ?? [];
      const name = argument?.name() ?? '';
      if (choices.length > 0) expect(rest).toEqual([` -a '${choices.join(' ')}'`]);
      else if (name === 'model') expect(rest).toEqual([" -a '(__fish_complete_directories)'"]);
      else expect(rest).toEqual(/^files?$|^pairs$/.test(name) ? [' -F'] : []);
    },
  );

  it('offers files after flags that take a path, words after those with a choice, and else nothing but the value', () => {
    const offered = (path: string, flag: string) =>
      linesOf(path)
        .find((line) => line.split(" -d '")[0].endsWith(` -l ${flag}`))
        ?.replace(/^.* -d '(?:[^'\\]|\\.)*'/, '');
    expect(offered('batch', 'out')).toBe(' -r -F');
    expect(offered('generate', 'dtype')?.split("'")[1].split(' ').sort()).toEqual(['bf16', 'f32', 'q4', 'q8']);
    expect(offered('generate', 'dtype')).toMatch(/^ -x -a /);
    expect(offered('generate', 'model')).toBe(" -x -a '(__fish_complete_directories)'");
    expect(offered('generate', 'seed')).toBe(' -x');
    expect(offered('generate', 'json')).toBe('');
  });
});

describe('the script for zsh', () => {
  const script = zshScript(wordsOf(PROGRAM));
  const cases = script
    .slice(script.indexOf('  case $path_ in\n'))
    .split(/^ {4}(?='[^']*'\)$)/m)
    .slice(1);
  const partOf = (path: string) => cases.find((one) => one.startsWith(`'${path}')\n`)) ?? '';
  /** Names and descriptions that a line offers. */
  const described = (line: string) => {
    const texts = [...line.matchAll(/'((?:[^']|'\\'')*)'(?= |;)/g)].map(([, text]) => text);
    return texts.filter((_, i) => i % 2 === 0);
  };

  it('has a part for each command, in the order of the program', () => {
    expect(cases.map((one) => /^'([^']*)'/.exec(one)?.[1])).toEqual([...COMMANDS.keys()]);
  });

  it.each([...COMMANDS])('has of %j every flag by each of its names, and its subcommands', (path, command) => {
    const [, flags, others] = /if \[\[ \$current == -\* \]\]; then (.*)\n\s+else (.*) fi ;;/.exec(partOf(path)) ?? [];
    const names = shown(command).flatMap(({ short, long }) => [short, long].filter((name) => name !== undefined));
    expect(described(flags)).toEqual([...names, '-h', '--help']);
    const subcommands = command.commands.map((one) => one.name());
    if (subcommands.length > 0) expect(described(others.split('; ')[0])).toEqual(subcommands);
    else expect(others).toMatch(/^:; /);
  });

  it.each([...COMMANDS])('has of %j a place for the value of each flag that takes one', (path, command) => {
    const places = [...partOf(path).matchAll(/^ {8}(-\S+)\) .* return ;;$/gm)].map(([, names]) => names);
    const expected = shown(command)
      .filter(takesValue)
      .map(({ short, long }) => [short, long].filter((name) => name !== undefined).join('|'));
    expect(places).toEqual(expected);
  });

  it('offers files after flags that take a path, words after those with a choice, and else nothing', () => {
    const offered = (path: string, flag: string) =>
      new RegExp(`^ {8}(?:-\\w\\|)?--${flag}\\) (.*) return ;;$`, 'm').exec(partOf(path))?.[1];
    expect(offered('batch', 'out')).toBe('_files;');
    expect(offered('generate', 'dtype')).toMatch(/^compadd -- '\w+'( '\w+'){3};$/);
    expect(offered('generate', 'model')).toBe('_files -/;');
    expect(offered('generate', 'draft')).toMatch(/^compadd -- .*; _files -\/;$/);
    expect(offered('generate', 'seed')).toBe(':;');
    expect(offered('generate', 'json')).toBeUndefined();
  });
});

it.each([
  ['fish', fishScript, /^complete -c tandem -n '[^\n]*' -a '([^']*)'$/m],
  ['zsh', zshScript, /\$CURRENT -eq 2 \]\]; then compadd -- '(.*)'; fi$/m],
])('the script for %s offers the flags of the program itself where a command may stand', (_, scriptOf, line) => {
  const own = shown(PROGRAM).flatMap(({ short, long }) => [short, long].filter((name) => name !== undefined));
  const found = line.exec(scriptOf(wordsOf(PROGRAM)))?.[1].split(/' '| /);
  expect(found).toEqual(own);
});

describe.each([
  ['fish', fishScript, "'it\\'s a \\\\ b'"],
  ['zsh', zshScript, "'it'\\''s a \\ b'"],
])('the script for %s', (_, scriptOf, quoted) => {
  it('quotes what a description has', () => {
    const command = { path: 'x', about: '', values: { words: [], also: 'any' }, subcommands: [] } as const;
    const flag = { names: ['--one'], about: "it's a \\ b", values: null };
    expect(scriptOf([{ ...command, flags: [flag] }])).toContain(quoted);
  });
});
