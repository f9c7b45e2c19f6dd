import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTrace } from '../../../decoding';
import { BUNDLED } from '../command';
import { inside, keepModels, records } from '../inside';

keepModels();

const LINES = ['And the word of the LORD came unto Jonah.', 'Verily he cometh quickly.', 'Thou art my rock.'];
const TEXT = 'And the word of the LORD came unto Jonah the second time, saying, Arise, go unto Nineveh.';
const scratch = mkdtempSync(join(tmpdir(), 'tandem-sampler-'));
const file = join(scratch, 'lines.txt');
beforeAll(() => writeFileSync(file, `${LINES.join('\n')}\n`));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const json = (...args: string[]) => records(['generate', ...args]);
const idsOf = (results: readonly { ids: number[] }[]) => results.map(({ ids }) => ids);

describe('generate', () => {
  it('gives the same greedy tokens with any γ, with trees, beside a comparison, and without a draft', async () => {
    const [alone] = await json(TEXT, '--draft', 'none');
    expect(alone).toMatchObject({ draft: null, metrics: { proposed: 0, tokensPerTargetCall: 1 } });
    expect(alone.ids.length).toBeGreaterThan(5);
    for (const way of [
      ['--gamma', '1'],
      ['--gamma', '6', '--compare'],
      ['--branching', '2,1'],
      ['--draft', 'copy', '--gamma', '4'],
      ['--gamma', 'auto'],
    ]) {
      const [result] = await json(TEXT, ...way);
      expect(result).toMatchObject({ ids: alone.ids, text: alone.text });
      expect(result.metrics.targetCalls).toBeLessThan(alone.ids.length);
    }
  });

  it('prints ids without the start token, and the closing end of sequence', async () => {
    const [{ ids }] = await json(TEXT);
    expect(ids).not.toContain(0);
    expect(ids.at(-1)).toBe(1);
  });

  it('decodes ids with no tokenizer file at all, and then prints ids', async () => {
    const bare = join(scratch, 'bare');
    cpSync(BUNDLED.draft, bare, { recursive: true, filter: (path) => !/tokenizer|spiece/.test(path) });
    const args = ['--ids', '5,17,1', '--suppress-tokens', '1', '--max-new-tokens', '8'];
    const [result] = await json('--model', bare, ...args);
    const [again] = await json('--model', BUNDLED.draft, ...args);
    expect(result.ids).toEqual(again.ids);
    expect([result.text, again.text === '']).toEqual(['', false]);
    const { stdout } = await inside(['generate', '--model', bare, ...args]);
    expect(stdout).toBe(`${result.ids.join(' ')}\n`);
  });

  it('never gives suppressed tokens, and no sequence of bad words', async () => {
    const [before] = await json(TEXT, '--max-new-tokens', '12');
    const banned = [...new Set<number>(before.ids.slice(0, 3))];
    const [after] = await json(TEXT, '--max-new-tokens', '12', '--suppress-tokens', banned.join());
    for (const id of banned) expect(after.ids).not.toContain(id);
    const [first, second] = before.ids;
    const [without] = await json(TEXT, '--bad-words', `${first},${second};${banned[2]}`);
    expect(without.ids[0]).toBe(first);
    expect(without.ids[1]).not.toBe(second);
    expect(without.ids).not.toContain(banned[2]);
  });

  it('ends before the first of its stop texts, in whatever order they are given', async () => {
    const [{ text }] = await json(TEXT);
    const stops = [' Jonah', ' the', 'nowhere, at all'];
    const end = Math.min(...stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0));
    expect(end).toBeGreaterThan(0);
    for (const order of [stops, [...stops].reverse()]) {
      const [stopped] = await json(TEXT, ...order.flatMap((stop) => ['--stop', stop]));
      expect(stopped).toMatchObject({ text: text.slice(0, end), stopReason: 'stop' });
    }
  });

  it('samples the same from the same seed, and something else from another', async () => {
    const sampled = async (seed: string) => (await json(TEXT, '-t', '1.5', '--top-k', '200', '--seed', seed))[0].ids;
    const first = await sampled('7');
    expect(await sampled('7')).toEqual(first);
    expect(await sampled('8')).not.toEqual(first);
  });

  it('gives several samples, of which the first is the one that it gives alone', async () => {
    const args = [LINES[0], '-t', '1', '--seed', '3'];
    const [{ ids, sequences }] = await json(...args, '--num-return-sequences', '3');
    const [alone] = await json(...args);
    expect(ids).toEqual(alone.ids);
    expect(sequences).toHaveLength(3);
    const { stdout } = await inside(['generate', ...args, '--num-return-sequences', '3']);
    expect(stdout).toBe(sequences.map(({ text }: { text: string }) => `${text}\n`).join(''));
  });

  it('gives each line of a file the same text, whatever is decoded beside it, traced or compared', async () => {
    for (const settings of [[], ['-t', '1', '--seed', '5'], ['-t', '1', '--seed', '5', '--gamma', '4']]) {
      const expected = await json('--file', file, ...settings, '--concurrency', '1');
      const [first] = await json(LINES[0], ...settings);
      expect(expected[0].ids).toEqual(first.ids);
      for (const way of [[], ['--concurrency', '2'], ['--compare'], ['--trace', join(scratch, 'trace')]]) {
        expect(idsOf(await json('--file', file, ...settings, ...way))).toEqual(idsOf(expected));
      }
    }
  });

  it('--num-beams prints the best sequence bare, several after their scores, best first', async () => {
    const [{ sequences, text, ids }] = await json(LINES[0], '--num-beams', '3', '--num-return-sequences', '3');
    expect(sequences).toHaveLength(3);
    const scores = sequences.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(sequences[0]).toMatchObject({ text, ids });
    const beams = ['generate', LINES[0], '--num-beams', '3'];
    expect((await inside(beams)).stdout).toBe(`${text}\n`);
    const { stdout } = await inside([...beams, '--num-return-sequences', '2']);
    expect(stdout).toBe(
      sequences
        .slice(0, 2)
        .map((one: { score: number; text: string }) => `${one.score.toFixed(4)}\t${one.text}\n`)
        .join(''),
    );
  });

  it('--trace writes a trace for each result that can be read back and has the ids', async () => {
    const path = join(scratch, 'trace.jsonl');
    const results = await json('--file', file, '--trace', path, '-t', '1', '--gamma', '4');
    const traces = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => readTrace(JSON.parse(line)));
    expect(traces.map(({ ids }) => ids)).toEqual(idsOf(results));
  });

  it('--gamma auto: a seed has the text that coupled verification has with any γ', async () => {
    const args = [LINES[0], '-t', '1', '--seed', '2'];
    const [adapts] = await json(...args, '--gamma', 'auto');
    expect(adapts.settings).toMatchObject({ gamma: 'auto', verification: 'coupled', costs: null });
    const [fixed] = await json(...args, '--gamma', '3', '--verification', 'coupled');
    expect(adapts.ids).toEqual(fixed.ids);
    const [costs] = await json(...args, '--costs', '0.2,1,1.1,1.2', '--verification', 'coupled');
    expect(adapts.ids).toEqual(costs.ids);
  });

  it('ngram build counts what the target writes, and the table drafts', async () => {
    const [texts, table] = [join(scratch, 'texts.txt'), join(scratch, 'table.json')];
    const results = await json('--file', file);
    writeFileSync(texts, `${results.map(({ text }) => text).join('\n\n')}\n`);
    const run = await inside(['ngram', 'build', texts, '--order', '3', '--out', table]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/order 3, \d+ contexts from \d+ tokens of 3 lines\n$/);
    const drafted = await json('--file', file, '--draft', `ngram:${table}`, '--gamma', '4');
    expect(idsOf(drafted)).toEqual(idsOf(results));
    expect(drafted[0].metrics.accepted).toBeGreaterThan(drafted[0].metrics.newTokens / 2);
  });
});
