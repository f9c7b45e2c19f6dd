import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, Tandem } from '../../../api';
import { BatchProgress } from '../../../cli/batch/progress';
import { inside, keepModels } from '../inside';
import { get, put, recordsIn, scratch } from './stub';

keepModels();
const folder = scratch();
const input = join(folder, 'in.jsonl');
const out = join(folder, 'out.jsonl');
const TEXTS = ['Thou art my rock and my fortress.', 'Verily he cometh quickly.', 'Jesus wept.'];

describe('tandem batch', () => {
  it('gives each line what generate gives it, from a file or standard input, to a file or standard output', async () => {
    const lines = `${TEXTS.map((text, i) => JSON.stringify({ id: i, input: text })).join('\n')}\n`;
    put(input, lines);
    const run = await inside(['batch', '--threads', '1'], { input: lines });
    expect(run).toMatchObject({ status: 0, stderr: expect.stringMatching(/^tandem: 3 lines, [\d.]+ a second\n$/) });
    const tandem = await Tandem.load(undefined, { threads: 1 });
    const expected = (await tandem.generate(TEXTS)) as Result[];
    expect(recordsIn(run.stdout)).toEqual(
      expected.map(({ text, ids, stopReason }, i) => {
        return { line: i + 1, id: i, hash: expect.stringMatching(/^[0-9a-f]{16}$/), text, ids, stopReason };
      }),
    );
    for (const args of [[input], [input, '--out', '-'], ['-']]) {
      const again = await inside(['batch', '--threads', '1', '--quiet', ...args], { input: lines });
      expect(again).toEqual({ status: 0, stdout: run.stdout, stderr: '' });
    }
    const filed = await inside(['batch', '--threads', '1', '--quiet', input, '--out', out]);
    expect([filed.stdout, get(out)]).toEqual(['', run.stdout]);
  });

  it('samples the same for an id wherever its line stands, and another for another id or option', async () => {
    const line = (id: string, options = {}) => JSON.stringify({ id, input: TEXTS[0], options });
    const sample = { temperature: 4, maxNewTokens: 12 };
    const text = async (lines: string[]) => {
      const run = await inside(['batch', '--threads', '1', '--quiet'], { input: lines.join('\n') });
      return recordsIn(run.stdout).map((record) => record.text);
    };
    const [a, b, seeded] = await text([line('a', sample), line('b', sample), line('a', { ...sample, seed: 1 })]);
    expect(new Set([a, b, seeded]).size).toBe(3);
    expect(await text([line('b', sample), '', line('a', sample)])).toEqual([b, a]);
  });

  it('keeps errors in their records: the code is 1, or 0 with --exit-zero', async () => {
    const lines = ['"Jesus wept."', '{"input":"a","options":{"topK":5}}', '[99999]'].join('\n');
    for (const [flags, status] of [
      [[], 1],
      [['--exit-zero'], 0],
    ] as const) {
      const run = await inside(['batch', '--threads', '1', ...flags], { input: lines });
      expect([run.status, run.stderr.endsWith('a second, 2 failed\n')]).toEqual([status, true]);
      const errors = recordsIn(run.stdout).map(({ error }) => error?.code);
      expect(errors).toEqual([undefined, 'option-invalid', 'source-invalid']);
    }
  });

  it('gives log-probabilities and several sequences where they are asked for', async () => {
    const lines =
      '{"input":"a","options":{"temperature":1,"numReturnSequences":2}}\n{"input":"a","options":{"logProbs":1}}';
    const run = await inside(['batch', '--threads', '1', '--quiet', '--max-new-tokens', '3'], { input: lines });
    const [several, scored] = recordsIn(run.stdout);
    expect(several.sequences).toHaveLength(2);
    expect(scored.logProbs).toHaveLength(scored.ids.length);
  });
});

describe('what is wrong', () => {
  beforeAll(() => {
    put(input, '"a"\n');
    put(join(folder, 'notes'), 'my notes\n');
    mkdirSync(join(folder, 'directory'));
  });

  it.each<[string, string[], number, RegExp]>([
    ['an input that is not there', [join(folder, 'none')], 1, /expected a file that can be read, found ENOENT/],
    ['a directory as input', [folder], 1, /expected a file that can be read, found a directory/],
    [
      'an output that is a directory',
      [input, '--out', join(folder, 'directory')],
      1,
      /expected a file that can be written/,
    ],
    ['an output in no folder', [input, '--out', join(folder, 'no', 'out')], 1, /expected a file that can be written/],
    ['an output that is the input', [input, '--out', input], 2, /--out: expected another file than the input/],
    ['an output of something else', [input, '--out', join(folder, 'notes')], 1, /expected records of tandem batch/],
    ['a shard above the last', [input, '--shard', '3/2'], 2, /--shard: expected a part and the number of parts/],
    ['shard 0', [input, '--shard', '0/2'], 2, /--shard: expected/],
    ['a shard that is none', [input, '--shard', '1'], 2, /--shard: expected/],
    ['two files', [input, input], 2, /too many arguments/],
    ['an option of sampling for greedy decoding', [input, '--top-k', '4'], 2, /topK: expected a temperature above 0/],
    ['a flag of generate that batch has not', [input, '--compare'], 2, /unknown option '--compare'/],
    ['a model that is not there', [input, '--model', './no-model'], 1, /expected a checkpoint directory/],
  ])('%s is one line, and nothing is written', async (_, args, status, message) => {
    const run = await inside(['batch', '--quiet', '--threads', '1', ...args]);
    expect([run.status, run.stdout]).toEqual([status, '']);
    expect(run.stderr).toMatch(/^tandem: [^\n]+\n$/);
    expect(run.stderr).toMatch(message);
    expect(get(input)).toBe('"a"\n');
    expect(get(join(folder, 'notes'))).toBe('my notes\n');
  });
});

describe('progress', () => {
  it('tells lines, their rate, those that failed, and the time left by the bytes of this run alone', () => {
    let now = 0;
    const progress = new BatchProgress({ size: 1000, quiet: true, clock: () => now });
    const line = { number: 1, text: 'x'.repeat(99) };
    progress.passed(line); // of an earlier run
    progress.begin();
    expect(progress.text).toBe('0 lines, 0.0 a second');
    now = 60_000;
    for (let i = 0; i < 3; i++) {
      progress.recorded(i === 0);
      progress.passed(line);
    }
    expect(progress.text).toBe('3 lines, 0.1 a second, 2 min 0 s left, 1 failed');
    progress.close();
  });
});
