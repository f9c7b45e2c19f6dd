import { compareMany, type ManyWorker, manyPage, parseCounts } from '../../../bench/peers/many';
import type { Peer } from '../../../bench/peers/peers';
import { sourceIds } from '../../../bench/peers/start';
import { Worker } from '../../../bench/peers/worker';

const TASK = { counts: [1, 3], tokens: 4, sourceIds: 6 };
type Sources = readonly (readonly number[])[];

/** A peer that answers with its source's first id, then counts on; `wrongFrom` is the place of its first other token. */
function fake(name: string, { wrongFrom = TASK.tokens, many = true } = {}): ManyWorker & { asked: Sources[] } {
  const asked: Sources[] = [];
  return {
    name,
    version: `version of ${name}`,
    many,
    asked,
    rest: () => undefined,
    runMany: async (sources, tokens) => {
      asked.push(sources);
      return sources.map(([first]) => Array.from({ length: tokens }, (_, i) => (i < wrongFrom ? first + i : -1)));
    },
  };
}

describe('the counts of --sequences', () => {
  it.each([
    ['', []],
    ['8', [8]],
    ['1,8,32', [1, 8, 32]],
  ])('%j are %j', (text, counts) => {
    expect(parseCounts(text)).toEqual(counts);
  });

  it.each(['0', '1.5', 'many', '1,,8', '-1', '8,8'])('%j is refused', (text) => {
    expect(() => parseCounts(text)).toThrow(
      `--sequences: expected different whole numbers from 1, as 1,8,32, found ${text}`,
    );
  });
});

test('sources differ, have the same length and end with EOS; the first is the one that peers decode alone', () => {
  const sources = Array.from({ length: 32 }, (_, i) => sourceIds(64, i));
  expect(new Set(sources.map(String)).size).toBe(32);
  for (const source of sources) {
    expect([source.length, source[63]]).toEqual([64, 1]);
    expect(Math.min(...source.slice(0, 63))).toBeGreaterThan(2);
  }
  expect(sources[0]).toEqual(sourceIds(64));
});

test('every peer decodes the same sources, as many at once as each count says', async () => {
  const [one, other] = [fake('tandem wasm f32'), fake('ctranslate2 f32')];
  await compareMany([one, other], TASK, 2);
  const wanted = (count: number) => Array.from({ length: count }, (_, i) => sourceIds(6, i));
  for (const { asked } of [one, other]) {
    expect(new Set(asked.map(({ length }) => length))).toEqual(new Set(TASK.counts));
    for (const sources of asked) expect(sources).toEqual(wanted(sources.length));
  }
});

test('tokens are compared with those of the first float32 peer that is not Tandem, and speeds with Tandem in the same type', async () => {
  const workers = [fake('tandem wasm f32', { wrongFrom: 3 }), fake('ctranslate2 f32'), fake('ctranslate2 q8')];
  const { results } = await compareMany(workers, TASK, 1);
  expect(
    results.map(({ name, cases }) => [name, cases.map(({ sequences, agreeing }) => [sequences, agreeing])]),
  ).toEqual([
    [
      'tandem wasm f32',
      [
        [1, 3],
        [3, 9],
      ],
    ],
    [
      'ctranslate2 f32',
      [
        [1, 4],
        [3, 12],
      ],
    ],
    [
      'ctranslate2 q8',
      [
        [1, 4],
        [3, 12],
      ],
    ],
  ]);
  const compared = results.map(({ cases }) => cases.map(({ ratio }) => ratio !== null));
  expect(compared).toEqual([
    [false, false],
    [true, true],
    [false, false],
  ]);
});

test('speed counts the tokens of all sequences, and the ratio is to the time of Tandem with as many', async () => {
  let now = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
  const taking = (worker: ManyWorker, times: Record<number, number>): ManyWorker => ({
    ...worker,
    runMany: (sources, tokens) => {
      now += times[sources.length];
      return worker.runMany(sources, tokens);
    },
  });
  try {
    const workers = [
      taking(fake('tandem wasm f32'), { 1: 8, 3: 16 }),
      taking(fake('ctranslate2 f32'), { 1: 4, 3: 48 }),
    ];
    const { results } = await compareMany(workers, TASK, 1);
    expect(results.map(({ cases }) => cases.map(({ tokensPerSecond }) => tokensPerSecond))).toEqual([
      [500, 750],
      [1000, 250],
    ]);
    expect(results[1].cases.map(({ ratio }) => ratio?.median)).toEqual([0.5, 3]);
  } finally {
    clock.mockRestore();
  }
});

test('a peer that decodes one sequence at a time is skipped by name, and none that can is an error', async () => {
  const alone = fake('llama.cpp f32', { many: false });
  const { results, skipped } = await compareMany([fake('tandem wasm f32'), alone], TASK, 1);
  expect(results.map(({ name }) => name)).toEqual(['tandem wasm f32']);
  expect(skipped).toEqual([{ name: 'llama.cpp f32', reason: 'its worker decodes one sequence at a time' }]);
  expect(alone.asked).toEqual([]);
  await expect(compareMany([alone], TASK, 1)).rejects.toThrow('none decodes many sequences: llama.cpp f32');
});

test('the page has a column for each count, tokens that agree out of all, ratios, and who was skipped', () => {
  const ratio = { median: 2, low: 1.5, high: 2.25 };
  const each = (speeds: number[], agreeing: number[], over: typeof ratio | null) =>
    TASK.counts.map((sequences, i) => ({ sequences, tokensPerSecond: speeds[i], ratio: over, agreeing: agreeing[i] }));
  const page = manyPage({
    ...{ folder: '/nowhere', shape: 't5-small', threads: 2, ...TASK },
    results: [
      { name: 'tandem wasm f32', version: 'A', cases: each([100, 240.04], [4, 12], null) },
      { name: 'ctranslate2 f32', version: 'B', cases: each([50, 120], [4, 11], ratio) },
    ],
    skipped: [{ name: 'llama.cpp f32', reason: 'missing' }],
  });
  const lines = page.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(lines).toEqual(
    expect.arrayContaining([
      ['t5-small, 2 thread(s), 6 source ids, 4 tokens of each sequence, greedy, whole call'],
      ['peer', '× 1', '× 3', 'same tokens'],
      ['tandem wasm f32', '100.0', '240.0', '16 of 16'],
      ['ctranslate2 f32', '50.0', '120.0', '15 of 16'],
      ['ctranslate2 f32', '2.00× (1.50–2.25)', '2.00× (1.50–2.25)'],
      ['llama.cpp f32: skipped, missing'],
      ['A; B'],
    ]),
  );
});

describe('a worker of a process', () => {
  const setting = { folder: '/nowhere', shape: 'none', threads: 1 };
  const peer = (many: boolean, missing = 0): Peer => {
    const program = `
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { do: what, sources, tokens } = JSON.parse(line);
        const sequences = sources?.slice(${missing}).map(([first]) => Array.from({ length: tokens }, (_, i) => first + i));
        console.log(JSON.stringify(what === 'load' ? { ok: true, many: ${many} } : { ok: true, sequences }));
      });`;
    return { name: 'fake', types: ['f32'], command: () => [process.execPath, '-e', program] };
  };

  it('says whether it decodes many, and decodes them', async () => {
    for (const many of [true, false]) {
      const worker = await Worker.start(peer(many), 'f32', setting);
      expect(worker.many).toBe(many);
      expect(await worker.runMany([[5], [9]], 2)).toEqual([
        [5, 6],
        [9, 10],
      ]);
      worker.end();
    }
  });

  it('that answers with fewer sequences is refused', async () => {
    const worker = await Worker.start(peer(true, 1), 'f32', setting);
    await expect(worker.runMany([[5], [9]], 2)).rejects.toThrow('expected 2 sequences of 2 tokens, found lengths [2]');
    worker.end();
  });
});
