import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inside } from '../inside';

type Shell = 'bash' | 'zsh' | 'fish';

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

  it('without a command names those of generate', () => {
    expect(offers('tandem --compa')).toEqual(['--compare']);
  });

  it('names the values of a flag: words of a choice, drafts, directories of models, files', () => {
    expect(offers('tandem generate --dtype ').sort()).toEqual(['bf16', 'f32', 'q8']);
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
    const commands = /\nCommands:\n([\s\S]*?)\n\n/.exec((await inside(['--help'])).stdout)?.[1] ?? '';
    const names = [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
    expect(names.length).toBeGreaterThan(9);
    const helps = new Map<string, string>();
    for (const name of names) {
      const path = name === 'ngram' ? ['ngram', 'build'] : [name];
      helps.set(path.join(' '), (await inside([...path, '--help'])).stdout);
    }
    for (const [path, help] of helps) {
      expect([path, help.includes('\nExamples:\n')]).toEqual([path, true]);
      for (const [line] of help.split('\nExamples:\n')[1].matchAll(/^ {2}.*tandem .*$/gm)) {
        const called = [...helps.keys()].find((one) => line.includes(`tandem ${one}`)) ?? path;
        for (const [flag] of line.matchAll(/(?<= )--[a-z-]+/g)) expect(helps.get(called)).toContain(flag);
      }
    }
  });
});

describe('tandem completion', () => {
  it('has every flag that a help has, in each shell', async () => {
    const scripts = await Promise.all(
      ['bash', 'zsh', 'fish'].map(async (shell) => (await inside(['completion', shell])).stdout),
    );
    for (const command of ['generate', 'batch', 'serve', 'quantize', 'doctor']) {
      const help = (await inside([command, '--help'])).stdout.split('\nExit codes')[0];
      const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
      expect(flags.length).toBeGreaterThan(1);
      for (const flag of flags) {
        for (const [i, script] of scripts.entries()) expect(script).toContain(i === 2 ? `-l ${flag.slice(2)} ` : flag);
      }
    }
  });

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
