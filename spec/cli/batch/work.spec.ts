/** What tandem batch hands to its run, and what it says around it, with a run that decodes nothing. */
import { join } from 'node:path';
import { type LoadOptions, Tandem } from '../../../api';
import { settingsText } from '../../../cli/batch/records';
import { type BatchWork, runBatch } from '../../../cli/batch/run';
import type { Line } from '../../../cli/files';
import { DEFAULTS } from '../../../decoding';
import { inside } from '../inside';
import { get, put, scratch } from './stub';

jest.mock('../../../cli/batch/run', () => ({ ...jest.requireActual('../../../cli/batch/run'), runBatch: jest.fn() }));

const folder = scratch();
const [input, out] = ['in.jsonl', 'out.jsonl'].map((name) => join(folder, name));
put(input, '"a"\n"b"\n');
const RECORD = '{"line":1,"hash":"h"}\n';
afterEach(() => jest.restoreAllMocks());

/** Runs `tandem batch`; `run` stands for what decodes the lines. */
async function batched(args: readonly string[], run: (work: BatchWork) => unknown = () => undefined, text = '') {
  const loads: LoadOptions[] = [];
  const works: BatchWork[] = [];
  let open = 0;
  jest.spyOn(Tandem, 'load').mockImplementation(async (_model, options = {}) => {
    loads.push(options);
    open++;
    return {
      ...{ target: { name: 'mine', dtype: 'q8' }, drafter: 'copy', prefix: 'p: ' },
      ...{ resolveOptions: (given: object) => ({ ...given, minNewTokens: 2 }), dispose: async () => void open-- },
    } as unknown as Tandem;
  });
  jest.mocked(runBatch).mockImplementation(async (_decoder, work) => {
    works.push(work);
    await run(work);
  });
  const ended = await inside(['batch', ...args], { input: text });
  return { ...ended, loads, work: works[0], open };
}

const settingsOf = (options: object) => settingsText(['mine', 'q8', 'copy', 'p: '], { ...options, minNewTokens: 2 });
const linesOf = async ({ lines, signal }: BatchWork) => {
  const found: Line[] = [];
  for await (const line of lines(signal)) found.push(line);
  return found;
};

describe('the run of tandem batch', () => {
  it('shares a batch of so many sequences, and has four lines for each of them in memory', async () => {
    for (const [args, concurrency] of [
      [[], DEFAULTS.concurrency],
      [['--concurrency', '3'], 3],
    ] as const) {
      const { status, loads, work, open } = await batched([input, ...args]);
      expect([status, loads[0].continuousBatching, work.window, open]).toEqual([0, concurrency, 4 * concurrency, 0]);
    }
  });

  it('has the options of all lines, and settings that tell records of other models and options apart, but not of other batches', async () => {
    const { work } = await batched([input, '--seed', '3', '-t', '1', '--concurrency', '5', '--shard', '2/3']);
    const options = { seed: 3, temperature: 1 };
    expect(work).toMatchObject({ shard: { part: 2, of: 3 }, settings: settingsOf(options) });
    expect(work.options).toEqual(options);
    const usual = (await batched([input])).work;
    expect([usual.shard, usual.options, usual.settings]).toEqual([{ part: 1, of: 1 }, {}, settingsOf({})]);
  });

  it('reads the lines of a file or of standard input, to a file or to standard output', async () => {
    const lines = ['"a"', '"b"'].map((text, i) => ({ number: i + 1, text }));
    const write = async (work: BatchWork) => {
      expect(await linesOf(work)).toEqual(lines);
      await work.output.write(RECORD);
    };
    for (const [args, text] of [
      [[input], ''],
      [['-'], '"a"\n"b"\n'],
      [[], '"a"\n"b"\n'],
    ] as const) {
      expect((await batched(args, write, text)).stdout).toBe(RECORD);
      expect((await batched([...args, '--out', '-'], write, text)).stdout).toBe(RECORD);
      put(out, '');
      expect((await batched([...args, '--out', out], write, text)).stdout).toBe('');
      expect(get(out)).toBe(RECORD);
    }
  });

  it('says after which line it goes on, unless quiet is asked for or nothing is there', async () => {
    for (const [before, flags, said] of [
      [RECORD, [], `tandem: ${out}: going on after line 1\n`],
      [RECORD, ['--quiet'], ''],
      ['', [], ''],
    ] as const) {
      put(out, before);
      const { stderr, work } = await batched([input, '--out', out, ...flags]);
      expect(stderr.replace(/^tandem: 0 lines, 0\.0 a second\n$/m, '')).toBe(said);
      expect(work.output.last).toEqual(before === '' ? null : { line: 1, hash: 'h' });
    }
  });

  it('fails where a record is an error, unless that is allowed; what it opened is closed either way', async () => {
    const record = (failed: boolean) => (work: BatchWork) => work.watcher.recorded(failed);
    expect((await batched([input], record(false))).status).toBe(0);
    expect((await batched([input], record(true))).status).toBe(1);
    expect((await batched([input, '--exit-zero'], record(true))).status).toBe(0);
    put(out, '');
    let output: BatchWork['output'] | undefined;
    const broken = await batched([input, '--out', out], (work) => {
      output = work.output;
      throw new Error('broken');
    });
    expect([broken.status, broken.open]).toEqual([1, 0]);
    expect(broken.stderr).toMatch(/^tandem: 0 lines.*\ntandem: broken\n$/);
    await expect(output?.write(RECORD)).rejects.toMatchObject({ code: 'io-failed' });
  });

  it('knows how much of a file is left, and nothing of standard input', async () => {
    const read = (work: BatchWork) => {
      work.watcher.recorded(false);
      work.watcher.passed({ number: 1, text: '' });
      work.watcher.passed({ number: 1, text: '' });
    };
    expect((await batched([input], read)).stderr).toMatch(/^tandem: 1 line, .* a second, 1 s left\n$/);
    expect((await batched(['-'], read)).stderr).toMatch(/^tandem: 1 line, \S+ a second\n$/);
  });
});
