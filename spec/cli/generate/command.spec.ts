import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLED, buildCommand, removeCommand, startTandem, tandem } from '../command';

const TEXT = 'And the word of the LORD came unto Jonah the second time, saying, Arise, go unto Nineveh.';
const scratch = mkdtempSync(join(tmpdir(), 'tandem-generate-'));
beforeAll(buildCommand);
afterAll(() => {
  removeCommand();
  rmSync(scratch, { recursive: true, force: true });
});

interface Printed {
  readonly text: string;
  readonly ids: number[];
  readonly metrics: Record<string, number | null>;
  readonly equal?: boolean;
  readonly draft: string | null;
}

function json(args: readonly string[], input?: string): Printed[] {
  const run = tandem([...args, '--json'], input);
  expect(run).toMatchObject({ status: 0, stderr: '' });
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed);
}

describe('tandem generate', () => {
  test('writes bare text to a pipe, the same from TEXT, a file and standard input', () => {
    const path = join(scratch, 'one.txt');
    writeFileSync(path, `${TEXT}\n`);
    const fromText = tandem(['generate', TEXT]);
    expect(fromText).toMatchObject({ status: 0, stderr: '' });
    expect(fromText.stdout).toMatch(/^Yahweh’s word came to Jonah[^\n]*\n$/);
    for (const run of [
      tandem(['generate', '--file', path]),
      tandem(['generate'], TEXT),
      tandem(['generate', '-'], TEXT),
    ]) {
      expect(run).toEqual(fromText);
    }
  });

  test('gives the same greedy ids with any draft length and without a draft, and says so', () => {
    const [alone] = json(['generate', TEXT, '--draft', 'none']);
    expect(alone).toMatchObject({ draft: null, metrics: { proposed: 0, tokensPerTargetCall: 1 } });
    expect(alone.ids.length).toBeGreaterThan(5);
    for (const gamma of ['1', '6']) {
      const [result] = json(['generate', TEXT, '--gamma', gamma, '--compare']);
      expect(result).toMatchObject({ ids: alone.ids, text: alone.text, equal: true });
      expect(result.metrics.targetCalls).toBeLessThan(alone.ids.length);
      expect(result.metrics.predictedSpeedup).toBeGreaterThan(0);
    }
  });

  test('prints ids without the start token, and no pad', () => {
    const [{ ids }] = json(['generate', TEXT]);
    expect(ids).not.toContain(0);
    expect(ids.at(-1)).toBe(1);
  });

  test('decodes raw ids with no tokenizer file at all', () => {
    const bare = join(scratch, 'bare');
    cpSync(BUNDLED.draft, bare, { recursive: true, filter: (path) => !/tokenizer|spiece/.test(path) });
    const [result] = json(['generate', '--model', bare, '--ids', '5,17,1', '--suppress', '1', '--max-tokens', '8']);
    const [again] = json([
      'generate',
      '--model',
      BUNDLED.draft,
      '--ids',
      '5,17,1',
      '--suppress',
      '1',
      '--max-tokens',
      '8',
    ]);
    expect(result.ids).toEqual(again.ids);
    expect(result.text).toBe('');
    expect(again.text).not.toBe('');
    expect(
      tandem(['generate', '--model', bare, '--ids', '5,17,1', '--suppress', '1', '--max-tokens', '8']).stdout.trim(),
    ).toBe(result.ids.join(' '));
  });

  test('never emits suppressed ids', () => {
    const [before] = json(['generate', TEXT, '--max-tokens', '12']);
    const banned = [...new Set(before.ids.slice(0, 3))];
    const [after] = json(['generate', TEXT, '--max-tokens', '12', '--suppress', banned.join(',')]);
    for (const id of banned) expect(after.ids).not.toContain(id);
  });

  test('samples the same from the same seed, and something else from another', () => {
    const sampled = (seed: string) => json(['generate', TEXT, '-t', '1.5', '--top-k', '200', '--seed', seed])[0].ids;
    const first = sampled('7');
    expect(sampled('7')).toEqual(first);
    expect(sampled('8')).not.toEqual(first);
  });

  test('lets the seed fix the text whatever the draft length under coupled verification', () => {
    const sampled = (gamma: string) =>
      json(['generate', TEXT, '-t', '1', '--seed', '5', '--verification', 'coupled', '--gamma', gamma])[0].ids;
    expect(sampled('5')).toEqual(sampled('2'));
  });

  test('ends before a stop text', () => {
    const [{ text }] = json(['generate', TEXT, '--stop', ' Jonah']);
    expect(text).toBe('Yahweh’s word came to');
  });

  test('shows examples, a report and the equality without arguments, though standard input is empty', () => {
    const run = tandem([]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    const examples = JSON.parse(readFileSync(join(BUNDLED.target, '..', 'pair.json'), 'utf8')).examples as string[];
    for (const example of examples) expect(run.stdout).toContain(example);
    expect(run.stdout).toMatch(/tokens a target call +[\d.]+ \(/);
    expect(run.stdout).toMatch(/speed-up +[\d.]+× measured, [\d.]+× predicted/);
    expect(run.stdout).toMatch(/equal +yes: with and without the draft/);
    expect(run.stdout).not.toContain('\u001b');
  });

  test('colours tokens by origin where colour is asked for', () => {
    const { stdout } = tandem(['generate', TEXT, '--color']);
    expect(stdout).toContain('\u001b[32m'); // drafted and kept
    expect(stdout).toContain('\u001b[36m'); // the free extra token
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what colour is made of
    expect(stdout.replace(/\u001b\[\d+m/g, '')).toBe(tandem(['generate', TEXT]).stdout);
  });

  test('ends quietly when the reader closes the pipe', async () => {
    const child = startTandem(['generate', '--min-tokens', '2000', '--max-tokens', '2000', TEXT]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = await once(child, 'exit');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
