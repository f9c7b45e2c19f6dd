import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTrace } from '../../../decoding';
import { buildCommand, removeCommand, tandem } from '../command';

const LINES = ['And the word of the LORD came unto Jonah.', 'Verily he cometh quickly.', 'Thou art my rock.'];
const scratch = mkdtempSync(join(tmpdir(), 'tandem-sampler-'));
const file = join(scratch, 'lines.txt');
beforeAll(() => {
  buildCommand();
  writeFileSync(file, `${LINES.join('\n')}\n`);
});
afterAll(() => {
  removeCommand();
  rmSync(scratch, { recursive: true, force: true });
});

function json(...args: string[]) {
  const run = tandem([...args, '--json']);
  expect(run).toMatchObject({ status: 0, stderr: '' });
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the sampler from the command line', () => {
  test('--batch gives each line the ids it has one by one, in the order of the input', () => {
    for (const settings of [[], ['-t', '1', '--verification', 'coupled', '--seed', '5']]) {
      const single = json('generate', '--file', file, ...settings);
      for (const batch of ['1', '2', '8']) {
        const together = json('generate', '--file', file, '--batch', batch, ...settings);
        expect(together.map(({ ids, text }) => ({ ids, text }))).toEqual(
          single.map(({ ids, text }) => ({ ids, text })),
        );
      }
    }
  });

  test('--beams prints the best sequence bare, several after their scores, best first', () => {
    const [{ sequences, metrics, text }] = json('generate', LINES[0], '--beams', '3', '--sequences', '3');
    expect(sequences).toHaveLength(3);
    const scores = sequences.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(metrics.targetCalls).toBeLessThan(metrics.steps);
    expect(tandem(['generate', LINES[0], '--beams', '3']).stdout).toBe(`${text}\n`);
    const several = tandem(['generate', LINES[0], '--beams', '3', '--sequences', '2']).stdout.trimEnd().split('\n');
    expect(several).toHaveLength(2);
    expect(several[0]).toMatch(new RegExp(`^-\\d\\.\\d{4}\t${text}$`));
  });

  test('--trace writes a trace a result that can be read back and has the ids', () => {
    const path = join(scratch, 'trace.jsonl');
    const results = json('generate', '--file', file, '--trace', path, '-t', '1');
    const traces = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => readTrace(JSON.parse(line)));
    expect(traces.map(({ ids }) => ids)).toEqual(results.map(({ ids }) => ids));
    expect(traces[0].rounds[0].choices.length).toBeGreaterThan(0);
  });

  test('--lenience below 1 says that it is not exact, in JSON and in the report', () => {
    const [{ metrics, settings }] = json('generate', LINES[0], '--lenience', '0.3', '-t', '1');
    expect(metrics.exact).toBe(false);
    expect(settings.lenience).toBe(0.3);
    expect(json('generate', LINES[0], '-t', '1')[0].metrics.exact).toBe(true);
    const { stderr } = tandem(['generate', LINES[0], '--lenience', '0.3', '-t', '1', '--compare']);
    expect(stderr).toMatch(/exact +NO: lenience 0\.3/);
  });

  test('--gamma auto reports its costs, which --costs takes: the same text again, at any temperature', () => {
    const args = ['generate', LINES[0], '-t', '1', '--seed', '2'];
    const [measured] = json(...args, '--gamma', 'auto');
    const { c, v } = measured.settings.costs;
    const [again] = json(...args, '--costs', [c, ...v].join());
    expect(again.ids).toEqual(measured.ids);
    expect(again.metrics.rounds).toBe(measured.metrics.rounds);
  });

  test('--branching proposes trees', () => {
    const [{ metrics, ids }] = json('generate', LINES[0], '--branching', '2,1');
    expect(metrics.proposed).toBeGreaterThan(2 * metrics.rounds);
    expect(ids).toEqual(json('generate', LINES[0])[0].ids);
  });

  test('ngram build counts what the target writes, and the table drafts', () => {
    const [texts, table] = [join(scratch, 'texts.txt'), join(scratch, 'table.json')];
    const results = json('generate', '--file', file);
    writeFileSync(texts, `${results.map(({ text }) => text).join('\n')}\n`);
    const run = tandem(['ngram', 'build', texts, '--order', '3', '--out', table]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/order 3, \d+ contexts from \d+ tokens of 3 lines\n$/);
    const drafted = json('generate', '--file', file, '--draft', `ngram:${table}`);
    expect(drafted.map(({ ids }) => ids)).toEqual(results.map(({ ids }) => ids));
    expect(drafted[0].metrics.accepted).toBeGreaterThan(drafted[0].metrics.newTokens / 2);
  });
});
