import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Tandem } from '../../api';
import { wordsOf } from '../../cli/completion/words';
import { buildProgram } from '../../cli/program';
import { BUNDLED, expectOneLine } from './command';
import { inside } from './inside';

const ROOT = join(__dirname, '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'tandem-commands-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const TEXT = join(scratch, 'text');
writeFileSync(TEXT, '"Jesus wept."\n');
const NO_FILE = join(scratch, 'none');
const NO_FOLDER = join(scratch, 'none', 'out');

interface Row {
  /** The spec of its good path. */
  readonly good: string;
  /** Arguments after the command's name, the exit code, and what the message says. */
  readonly bad: readonly (readonly [args: readonly string[], status: 1 | 2, message: RegExp])[];
}

/** Every command by its path; '' is the program itself. */
const COMMANDS: Readonly<Record<string, Row>> = {
  '': {
    good: 'spec/cli/generate/start.spec.ts',
    bad: [
      [['genrate', 'Amen.'], 2, /^unknown command 'genrate'; did you mean 'generate'\?/],
      [['Thou art my rock.'], 2, /^unknown command 'Thou art my rock\.'; known are /],
      [['--gamma', '2', 'Amen.'], 2, /^expected 'generate' before a text, found 'Amen\.' without it$/],
      [['help', 'genrate'], 2, /^unknown command 'genrate'; did you mean 'generate'\?/],
    ],
  },
  generate: {
    good: 'spec/cli/generate/command.spec.ts',
    bad: [
      [['--gamma', 'x', 'Amen.'], 2, /^--gamma: expected .*, found 'x'$/],
      [['--top-k', '2', 'Amen.'], 2, /^topK: expected .*temperature/],
      [['--file', NO_FILE], 1, /expected a file that can be read, found ENOENT$/],
      [['--model', './no-model', 'Amen.'], 1, /^--model '\.\/no-model': expected a checkpoint directory/],
    ],
  },
  batch: {
    good: 'spec/cli/batch/command.spec.ts',
    bad: [
      [[NO_FILE], 1, /expected a file that can be read, found ENOENT$/],
      [[TEXT, '--shard', '3/2'], 2, /^--shard: expected a part and the number of parts/],
      [[TEXT, '--out', TEXT], 2, /^--out: expected another file than the input/],
      [[TEXT, '--out', NO_FOLDER], 1, /expected a file that can be written/],
    ],
  },
  embed: {
    good: 'spec/cli/uses.spec.ts',
    bad: [
      [['Amen.', '--pooling', 'sum'], 2, /^--pooling: expected one of auto, mean, none, found 'sum'$/],
      [['Amen.', '--ids', '1'], 2, /^expected one source of input, found TEXT and --ids$/],
      [['--file', NO_FILE], 1, /expected a file that can be read, found ENOENT$/],
      [['Amen.', '--model', './no-model'], 1, /^--model '\.\/no-model': expected a checkpoint directory/],
    ],
  },
  score: {
    good: 'spec/cli/uses.spec.ts',
    bad: [
      [[], 2, /^missing required argument 'source'$/],
      [['Amen.'], 2, /^score: expected --target <text>, found none$/],
      [['Amen.', '--target', ''], 2, /^--target: expected texts, none of them empty/],
      [['Amen.', '--target', 'x', '--model', './no-model'], 1, /^--model '\.\/no-model': expected a checkpoint/],
    ],
  },
  serve: {
    good: 'spec/cli/serve.spec.ts',
    bad: [
      [['--port', '70000'], 2, /^--port: expected a whole number from 0 to 65535, found '70000'$/],
      [['--draft', 'none', '--gamma', '2'], 2, /^serve: expected a draft beside --gamma, found none$/],
      [['--settings', NO_FILE], 1, /expected a file that can be read, found ENOENT$/],
      [['--model', './no-model'], 1, /^--model '\.\/no-model': expected a checkpoint directory/],
    ],
  },
  explore: {
    good: 'spec/cli/explore.spec.ts',
    bad: [
      [['--port', 'x'], 2, /^--port: expected a whole number from 0 to 65535, found 'x'$/],
      [['--draft', BUNDLED.draft], 2, /^expected --model beside --draft, found none/],
      [['--model', './no-model'], 1, /^--model '\.\/no-model': expected a directory, found none$/],
    ],
  },
  inspect: {
    good: 'spec/cli/inspect.spec.ts',
    bad: [
      [[], 2, /^missing required argument 'model'$/],
      [['a', 'b'], 2, /^too many arguments for 'inspect'/],
      [['./no-model'], 1, /^inspect '\.\/no-model': expected a checkpoint directory/],
      [[scratch], 1, /config\.json/],
    ],
  },
  quantize: {
    good: 'spec/cli/quantize.spec.ts',
    bad: [
      [[BUNDLED.draft, '--out', 'x'], 2, /^quantize: expected --dtype <type>, found none$/],
      [[BUNDLED.draft, '--dtype', 'q3', '--out', 'x'], 2, /^--dtype: expected one of f32, bf16, q8, q4, found 'q3'$/],
      [[BUNDLED.draft, '--dtype', 'q8', '--out', NO_FOLDER], 1, /expected a directory to write, found ENOENT/],
      [['./no-model', '--dtype', 'q8', '--out', 'x'], 1, /^quantize '\.\/no-model': expected a checkpoint/],
    ],
  },
  ngram: {
    good: 'spec/cli/generate/sampler.spec.ts',
    bad: [
      [[], 2, /^ngram: expected a subcommand, build, found none$/],
      [['biuld'], 2, /^ngram: expected a subcommand, build, found 'biuld'$/],
      [['--order', '3'], 2, /^unknown option '--order'/],
    ],
  },
  'ngram build': {
    good: 'spec/cli/generate/sampler.spec.ts',
    bad: [
      [[], 2, /^missing required argument 'files'$/],
      [[TEXT], 2, /^ngram build: expected --out <path>, found none$/],
      [[TEXT, '--order', '9', '--out', 'x'], 2, /^--order: expected a whole number from 1 to 8, found '9'$/],
      [[NO_FILE, '--out', join(scratch, 'table')], 1, /expected a file that can be read, found ENOENT$/],
      [[TEXT, '--out', NO_FOLDER], 1, /expected a file that can be written/],
    ],
  },
  paper: {
    good: 'spec/cli/paper/command.spec.ts',
    bad: [
      [['--passages', '999'], 2, /^--passages: expected at most 200, found 999$/],
      [['--passages', '0'], 2, /^--passages: expected a whole number from 1 up, found '0'$/],
      [['--backend', 'tpu'], 2, /^--backend: expected one of .*, found 'tpu'$/],
      [['Amen.'], 2, /^too many arguments for 'paper'/],
    ],
  },
  bench: {
    good: 'spec/cli/bench.spec.ts',
    bad: [
      [['--kernels', 'magic'], 2, /^--kernels: expected some of matmul, .*, found 'magic'$/],
      [['--only', 'decode', '--svg', 'x'], 2, /^expected no --svg beside --only decode, found both$/],
      [['--svg', NO_FOLDER], 1, /expected a file that can be written/],
      [['--text', 'Amen.', '--model', './no-model'], 1, /^--model '\.\/no-model': expected a checkpoint directory/],
    ],
  },
  eval: {
    good: 'spec/cli/eval/command.spec.ts',
    bad: [
      [[NO_FILE], 1, /expected a file that can be read, found ENOENT$/],
      [[TEXT], 1, /line 1: expected /],
      [['--limit', '0'], 2, /^--limit: expected a whole number from 1 up, found '0'$/],
      [['--model', BUNDLED.target], 2, /expected a file of pairs beside --model, found none$/],
    ],
  },
  tune: {
    good: 'spec/cli/tune/command.spec.ts',
    bad: [
      [['--only-given'], 2, /^expected --draft beside --only-given, found none$/],
      [['--gammas', '0'], 2, /^--gammas: expected whole numbers from 1 to 64, found '0'$/],
      [['--file', NO_FILE], 1, /expected a file that can be read, found ENOENT$/],
      [['--out', NO_FOLDER], 1, /expected a file that can be written/],
    ],
  },
  prove: {
    good: 'spec/cli/prove.spec.ts',
    bad: [
      [['--only', 'magic'], 2, /^--only: expected some of samplers, mutants, .*, found 'magic'$/],
      [['--seed', '-1'], 2, /^--seed: expected a whole number from 0 to 1000000, found '-1'$/],
      [['--cases', '26'], 2, /^--cases: expected a whole number from 1 to 25, found '26'$/],
    ],
  },
  doctor: {
    good: 'spec/cli/inspect.spec.ts',
    bad: [
      [['Amen.'], 2, /^too many arguments for 'doctor'/],
      [['--jsno'], 2, /^unknown option '--jsno' \(Did you mean --json\?\)$/],
      [['--json=yes'], 2, /^unknown option '--json=yes'/],
    ],
  },
  completion: {
    good: 'spec/cli/completion/shells.spec.ts',
    bad: [
      [[], 2, /^missing required argument 'shell'$/],
      [['zhs'], 2, /^completion: expected one of bash, zsh, fish, found 'zhs'; did you mean 'zsh'\?$/],
      [['bash', 'zsh'], 2, /^too many arguments for 'completion'/],
    ],
  },
};

const program = buildProgram([], new AbortController().signal);
const commands = wordsOf(program);
const wordsIn = (path: string) => path.split(' ').filter((word) => word !== '');

/** Runs a call that must be refused: one line, no stack trace, nothing on standard output. @returns the message */
async function refusal(args: readonly string[], status: number): Promise<string> {
  const run = await inside(args);
  expect(run).toMatchObject({ status, stdout: '' });
  expectOneLine(run, /^tandem: /);
  return run.stderr.slice('tandem: '.length, -1);
}

describe('every command of the program', () => {
  test('is in the table, with a spec of its good path that calls it and at least three bad inputs', () => {
    expect(Object.keys(COMMANDS).sort()).toEqual(commands.map(({ path }) => path).sort());
    for (const [path, { good, bad }] of Object.entries(COMMANDS)) {
      expect([path, bad.length >= 3]).toEqual([path, true]);
      expect([path, good, existsSync(join(ROOT, good))]).toEqual([path, good, true]);
      for (const word of wordsIn(path)) expect(readFileSync(join(ROOT, good), 'utf8')).toContain(`'${word}'`);
    }
  });

  const bad = Object.entries(COMMANDS).flatMap(([path, row]) =>
    row.bad.map(([args, status, message]) => ({ call: [...wordsIn(path), ...args], status, message })),
  );
  test.each(bad)('refuses $call', async ({ call, status, message }) => {
    const load = jest.spyOn(Tandem, 'load');
    try {
      expect(await refusal(call, status)).toMatch(message);
      expect(load).not.toHaveBeenCalled();
    } finally {
      load.mockRestore();
    }
  });

  const all = program.commands.flatMap((command): (readonly [string, Command])[] => [
    [command.name(), command],
    ...command.commands.map((inner) => [`${command.name()} ${inner.name()}`, inner] as const),
  ]);
  test.each(all)(
    '%s refuses a flag that it does not have, and each flag whose value is missing',
    async (path, { options }) => {
      expect(await refusal([...wordsIn(path), '--no-such-flag'], 2)).toMatch(/^unknown option '--no-such-flag'/);
      for (const { short, long, required, hidden } of options) {
        for (const name of required && !hidden ? [short, long] : []) {
          if (name === undefined) continue;
          expect(await refusal([...wordsIn(path), name], 2)).toMatch(/^option '.*' argument missing$/);
        }
      }
    },
  );
});
