import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { buildProgram } from '../../../cli/program';
import { inside } from '../inside';

type Shell = 'bash' | 'zsh' | 'fish';

const PROGRAM = buildProgram([], new AbortController().signal);
/** Every command by its path, subcommands too. */
const COMMANDS = PROGRAM.commands.flatMap((command): [string, Command][] => [
  [command.name(), command],
  ...command.commands.map((inner): [string, Command] => [`${command.name()} ${inner.name()}`, inner]),
]);

const folder = mkdtempSync(join(tmpdir(), 'tandem-completion-'));
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, stderr, status } = await inside(['completion', shell]);
    expect([status, stderr]).toEqual([0, '']);
    writeFileSync(join(folder, `script.${shell}`), stdout);
  }
  mkdirSync(join(folder, 'home', 'model'), { recursive: true });
  writeFileSync(join(folder, 'home', 'lines.txt'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a shell offers for the last word of a command line. */
const OFFERS: Record<Shell, (words: readonly string[]) => string[]> = {
  bash: (words) =>
    run('bash', [
      '--norc',
      '-c',
      `source ../script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tandem; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      ...words,
    ]),
  // The builtin that hands words to the line editor prints them here; the editor itself needs a terminal.
  zsh: (words) => {
    const stub = `compadd() { local -a shown; zparseopts -D -E l=shown d:=shown a=array; if (( $#array )); then print -l -- \${(P)argv[-1]}; else shift; print -l -- "$@"; fi }
      _files() { [[ $1 == -/ ]] && print -l -- *(/N) || print -l -- *(N); }`;
    const call = `words=("$@"); CURRENT=$#; _tandem`;
    const last = words[words.length - 1];
    return run('zsh', ['-f', '-c', `${stub}; source ../script.zsh; ${call}`, 'zsh', ...words]).filter((word) =>
      word.startsWith(last),
    );
  },
  fish: (words) =>
    run('fish', ['--no-config', '-c', `source ../script.fish; complete -C "$argv"`, ...words]).map(
      (line) => line.split('\t')[0],
    ),
};

function run(shell: Shell, args: readonly string[]): string[] {
  const env = { PATH: process.env.PATH, HOME: join(folder, 'home'), LC_ALL: 'C.UTF-8' };
  const printed = execFileSync(shell, args, { cwd: join(folder, 'home'), encoding: 'utf8', env });
  return printed.split('\n').filter((line) => line !== '');
}

/** bash is on every machine that runs the specs; the others may be missing. CI installs them. */
const isThere = (shell: Shell) =>
  process.env.CI !== undefined || shell === 'bash' || spawnSync(shell, ['--version']).status === 0;

describe.each((['bash', 'zsh', 'fish'] as const).filter(isThere))('completion in %s', (shell) => {
  const offers = (line: string) => OFFERS[shell](line.split(' '));

  it('names commands, and subcommands of ngram', () => {
    expect(offers('tandem ge')).toEqual(['generate']);
    expect(offers('tandem ')).toEqual(expect.arrayContaining(['generate', 'batch', 'serve', 'completion']));
    expect(offers('tandem ngram b')).toEqual(['build']);
  });

  it('names the flags of the command alone', () => {
    expect(offers('tandem batch --sh')).toEqual(['--shard']);
    expect(offers('tandem generate --sh')).toEqual([]);
    expect(offers('tandem generate --max-new-t')).toEqual(['--max-new-tokens']);
    expect(offers('tandem generate --no-rep')).toEqual(['--no-repeat-ngram-size']);
    expect(offers('tandem ngram build --ord')).toEqual(['--order']);
    expect(offers('tandem tune --gam')).toEqual(['--gammas']);
    expect(offers('tandem serve --helph')).toEqual([]);
  });

  it('names every flag of every command, and no other', () => {
    for (const [path, command] of COMMANDS) {
      const longs = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long);
      expect([path, offers(`tandem ${path} --`).sort()]).toEqual([path, [...longs, '--help'].sort()]);
    }
  });

  it('names every command, and every subcommand', () => {
    const names = PROGRAM.commands.map((command) => command.name());
    expect(offers('tandem ').sort()).toEqual(names.sort());
    expect(offers('tandem ngram ')).toEqual(['build']);
    expect(offers('tandem --vers')).toEqual(['--version']);
  });

  it('without a command names those of generate', () => {
    expect(offers('tandem --compa')).toEqual(['--compare']);
  });

  it('names the values of a flag: words of a choice, drafts, directories of models, files', () => {
    expect(offers('tandem generate --dtype ').sort()).toEqual(['bf16', 'f32', 'q4', 'q8']);
    expect(offers('tandem serve -b w')).toEqual(['wasm']);
    expect(offers('tandem generate --generation-config f')).toEqual(['false']);
    expect(offers('tandem generate --draft co')).toEqual(['copy']);
    expect(offers('tandem batch --model mo').map((word) => word.replace(/\/$/, ''))).toEqual(['model']);
    expect(offers('tandem batch --model li')).toEqual([]);
    expect(offers('tandem batch --out li')).toEqual(['lines.txt']);
    expect(offers('tandem batch li')).toEqual(['lines.txt']);
    expect(offers('tandem serve --settings li')).toEqual(['lines.txt']);
    expect(offers('tandem tune --dtypes q')).toEqual(['q8']);
    expect(offers('tandem inspect mo').map((word) => word.replace(/\/$/, ''))).toEqual(['model']);
    expect(offers('tandem completion z')).toEqual(['zsh']);
    expect(offers('tandem generate --seed ')).toEqual([]);
  });
});

describe('the help', () => {
  it('of every command has examples, which have only flags of the command that they call', async () => {
    const helps = new Map<string, string>();
    for (const [path] of COMMANDS) {
      if (path === 'ngram') continue; // its subcommand has them
      helps.set(path, (await inside([...path.split(' '), '--help'])).stdout);
    }
    expect(helps.size).toBeGreaterThan(15);
    for (const [path, help] of helps) {
      expect([path, help.includes('\nExamples:\n')]).toEqual([path, true]);
      for (const [line] of help.split('\nExamples:\n')[1].matchAll(/^ {2}.*tandem .*$/gm)) {
        const called = [...helps.keys()].find((one) => line.includes(`tandem ${one}`)) ?? path;
        for (const [flag] of line.matchAll(/(?<= )--[a-z-]+/g)) expect(helps.get(called)).toContain(flag);
      }
    }
  });
});

test('the help of the program and of every command states the exit codes', async () => {
  for (const path of ['', ...COMMANDS.map(([path]) => path)]) {
    const { stdout, status } = await inside([...path.split(' ').filter(Boolean), '--help']);
    expect([path, status]).toEqual([path, 0]);
    expect(stdout).toMatch(/\nExit codes: 0 done; 1 [^\n]*; 2 [^\n]*;\n130 .*SIGINT.* 143 .*SIGTERM/);
  }
});

describe('tandem completion', () => {
  it.each<[string[], RegExp]>([
    [['zhs'], /completion: expected one of bash, zsh, fish, found 'zhs'; did you mean 'zsh'\?/],
    [['constructor'], /expected one of bash, zsh, fish, found 'constructor'/],
    [[], /missing required argument 'shell'/],
    [['bash', 'zsh'], /too many arguments/],
  ])('%j is refused', async (args, message) => {
    const found = await inside(['completion', ...args]);
    expect([found.status, found.stdout]).toEqual([2, '']);
    expect(found.stderr).toMatch(message);
  });
});
