import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tandem } from '../../api';
import { TandemError } from '../../common';
import { inside } from './inside';

const folder = mkdtempSync(join(tmpdir(), 'tandem-embed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => jest.restoreAllMocks());

type Source = string | readonly number[];

/** A model that embeds a text as its length, notes the calls, and fails where it is told to. */
function loaded(fails: (source: Source) => Error | null = () => null) {
  const calls: Source[][] = [];
  let disposed = 0;
  const embed = async (input: Source | Source[], options: object) => {
    expect(options).toMatchObject({ signal: expect.any(AbortSignal) });
    const isList = Array.isArray(input) && typeof input[0] !== 'number';
    const sources = (isList ? input : [input]) as Source[];
    calls.push(sources);
    for (const source of sources) {
      const error = fails(source);
      if (error) throw error;
    }
    const vectors = sources.map((source) => Float32Array.of(source.length, 0.5));
    return isList ? vectors : vectors[0];
  };
  const model = { name: 'm', family: 't5', dtype: 'f32', parameters: 1 };
  const tandem = {
    ...{ embed, target: model, drafter: null, backend: { name: 'wasm', level: 'simd', threads: 1 } },
    dispose: async () => {
      disposed++;
    },
  };
  const load = jest.spyOn(Tandem, 'load').mockImplementation(async () => tandem as unknown as Tandem);
  return { calls, load, disposed: () => disposed };
}

/** Runs `tandem embed` on the lines of a file. */
async function embedded(lines: readonly (string | Uint8Array)[], args: readonly string[] = []) {
  const path = join(folder, 'lines.txt');
  writeFileSync(path, Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')])));
  const run = await inside(['embed', '--file', path, ...args]);
  const printed = run.stdout === '' ? [] : run.stdout.trimEnd().split('\n');
  return { ...run, found: printed.map((line) => JSON.parse(line)) };
}

describe('tandem embed', () => {
  it('prints one object for each line that is not blank, in order, and asks for 64 vectors at a time, without a draft', async () => {
    for (const count of [1, 63, 64, 65, 130]) {
      const { calls, load, disposed } = loaded();
      const texts = Array.from({ length: count }, (_, i) => 'x'.repeat(1 + (i % 7)));
      const run = await embedded(texts.flatMap((text) => ['', text]));
      expect([run.status, run.stderr]).toEqual([0, '']);
      expect(run.found).toEqual(
        texts.map((input, index) => ({ index, line: 2 * index + 2, input, embedding: [input.length, 0.5] })),
      );
      expect(calls.map(({ length }) => length)).toEqual(
        Array.from({ length: Math.ceil(count / 64) }, (_, i) => Math.min(64, count - 64 * i)),
      );
      expect([load.mock.calls.length, load.mock.calls[0][1]?.draft, disposed()]).toEqual([1, null, 1]);
      jest.restoreAllMocks();
    }
  });

  it('says of a line that is no text what is wrong with it, and embeds the others in the same call', async () => {
    const { calls, disposed } = loaded();
    const run = await embedded(['a', Uint8Array.of(0xff), 'bc']);
    expect([run.status, calls, disposed()]).toEqual([1, [['a', 'bc']], 1]);
    expect(run.found).toEqual([
      { index: 0, line: 1, input: 'a', embedding: [1, 0.5] },
      {
        index: 1,
        line: 2,
        input: null,
        error: { code: expect.any(String), message: expect.stringContaining('line 2') },
      },
      { index: 2, line: 3, input: 'bc', embedding: [2, 0.5] },
    ]);
  });

  it('tries each line of a group alone where the group fails, and says whose error it was', async () => {
    const { calls } = loaded((source) => {
      if (source === 'bad') return new TandemError('token-invalid', 'no such token');
      return source === 'odd' ? new Error('two\nlines') : null;
    });
    const run = await embedded(['a', 'bad', 'odd', 'bc']);
    expect([run.status, calls]).toEqual([1, [['a', 'bad', 'odd', 'bc'], ['a'], ['bad'], ['odd'], ['bc']]]);
    expect(run.found).toEqual([
      { index: 0, line: 1, input: 'a', embedding: [1, 0.5] },
      { index: 1, line: 2, input: 'bad', error: { code: 'token-invalid', message: 'no such token' } },
      { index: 2, line: 3, input: 'odd', error: { code: null, message: 'two lines' } },
      { index: 3, line: 4, input: 'bc', embedding: [2, 0.5] },
    ]);
  });

  it('ends with a cancel: nobody is tried alone, and what is loaded is given back', async () => {
    const { calls, disposed } = loaded(() => new TandemError('aborted', 'aborted'));
    const run = await embedded(['a', 'bc']);
    expect([run.status, run.stdout, calls, disposed()]).toEqual([1, '', [['a', 'bc']], 1]);
  });

  it('takes ids, a document or the words of the command, and how to pool', async () => {
    const { calls } = loaded();
    const ids = await inside(['embed', '--ids', '5,17,1']);
    expect(JSON.parse(ids.stdout)).toEqual({ index: 0, line: 1, input: [5, 17, 1], embedding: [3, 0.5] });
    const words = await inside(['embed', 'a b', '--pooling', 'mean']);
    expect(JSON.parse(words.stdout)).toEqual({ index: 0, line: 1, input: 'a b', embedding: [3, 0.5] });
    expect(calls).toEqual([[[5, 17, 1]], ['a b']]);
  });
});
