/** Which ways of decoding tandem paper measures, and which figures it makes of which runs; the runs are made up here. */
import { readFileSync } from 'node:fs';
import { bundledPair } from '../../../api';
import { figuresOf, type MeasureJob, measurePaper, passagesOf } from '../../../cli/paper/measure';
import * as decoding from '../../../decoding';
import { TABLE_5 } from '../../../decoding/gamma/published';

jest.mock('../../../decoding', () => {
  const actual = jest.requireActual<typeof decoding>('../../../decoding');
  return { ...actual, generate: jest.fn(), collect: jest.fn(), ngramDrafter: jest.fn() };
});
const mocked = jest.mocked(decoding);

const TEXTS = ['first', 'second', 'third'];
const PAIR = { name: 'pair' };

/** A run of as many tokens as its number, in as many seconds. Sums of them tell which runs were added up. */
const tallyOf = (run: number): decoding.Tally => ({
  ...{ newTokens: run, rounds: run, targetCalls: run, draftCalls: run, proposed: run, proposedDepth: run },
  ...{ accepted: 1, acceptanceSum: run / 2, acceptancePositions: run, seconds: run * run, targetSeconds: run },
  draftSeconds: run / 4,
});

interface Run {
  readonly source: unknown;
  readonly drafter: unknown;
  readonly settings: decoding.Settings;
}

async function measured() {
  const [runs, done, tables]: [Run[], number[], unknown[]] = [[], [], []];
  mocked.generate.mockImplementation((({ source, drafter, settings }: Run) => {
    runs.push({ source, drafter, settings });
    return (async function* () {})();
  }) as never);
  mocked.collect.mockImplementation(async (events) => {
    for await (const _ of events) throw new Error('there are none');
    return { metrics: tallyOf(runs.length) } as never;
  });
  mocked.ngramDrafter.mockImplementation(((vocabulary: number, options: { table: object; online: number }) => {
    tables.push({ vocabulary, ...options });
    return { name: `table ${tables.length}` };
  }) as never);
  const encode = (text: string) => [...text].map((letter) => 1 + (letter.charCodeAt(0) % 40));
  const found = await measurePaper({
    parts: { target: { vocabularySize: 64 }, drafter: PAIR, tokenizer: { encode } },
    ...{ encode: async (text: string) => encode(text), texts: TEXTS, maxNewTokens: 9 },
    ...{ signal: new AbortController().signal, onPassage: (count: number) => void done.push(count) },
  } as unknown as MeasureJob);
  return { found, runs, done, tables, encode };
}

/** Every way in the order in which a passage is decoded: without a draft, the pair, n-grams, and lenience. */
const WAYS = [
  ...[0, 1].map((temperature) => ({ drafter: null, settings: { temperature } })),
  ...[0, 1].flatMap((temperature) => [3, 5, 7].map((gamma) => ({ drafter: PAIR, settings: { temperature, gamma } }))),
  ...[0, 1, 0, 1].map((temperature, i) => {
    return { drafter: { name: `table ${i + 1}` }, settings: { temperature, gamma: 3 } };
  }),
  ...TABLE_5.map(({ lenience }) => ({ drafter: PAIR, settings: { temperature: 1, gamma: 7, lenience } })),
];

describe('the measurement of tandem paper', () => {
  it('decodes the first passage once in every way to warm up, then each passage in every way', async () => {
    const { runs, done, encode } = await measured();
    const order = [TEXTS[0], ...TEXTS].map(encode);
    expect(runs).toEqual(
      order.flatMap((source) =>
        WAYS.map(({ drafter, settings }) => ({ source, drafter, settings: { ...settings, maxNewTokens: 9 } })),
      ),
    );
    expect(done).toEqual([1, 2, 3]);
  });

  it('has figures of each way from its own runs, beside those without a draft at its temperature; no run to warm up counts', async () => {
    const { found } = await measured();
    const tallies = (way: number) => TEXTS.map((_, i) => tallyOf((i + 1) * WAYS.length + way + 1));
    const figures = (way: number) => {
      const { settings } = WAYS[way];
      const own = settings as { temperature: 0 | 1; gamma?: number };
      return figuresOf({ tallies: tallies(way), settings: own }, { tallies: tallies(own.temperature) });
    };
    const tokens = tallies(0).reduce((sum, { newTokens }) => sum + newTokens, 0);
    expect(found).toEqual({
      ...{ passages: 3, tokens },
      pair: [2, 3, 4, 5, 6, 7].map((way) => ({ ...WAYS[way].settings, ...figures(way) })),
      ngrams: [1, 2].map((order) => {
        return { order, gamma: 3, greedy: figures(6 + 2 * order), sampled: figures(7 + 2 * order) };
      }),
      lenience: TABLE_5.map(({ lenience }, i) => ({ lenience, exact: i === 0, ...figures(12 + i) })),
    });
  });

  it('drafts with a unigram and a bigram table of the pair’s text, which learn nothing more while they draft', async () => {
    const { tables, encode } = await measured();
    const lines = readFileSync((await bundledPair()).text, 'utf8').split('\n');
    const [unigram, bigram] = [1, 2].map((order) => {
      const table = new decoding.NgramTable(order, 64);
      for (const line of lines.filter((one) => one !== '')) table.learn(encode(line));
      return JSON.parse(JSON.stringify(table));
    });
    expect(tables.map((table) => JSON.parse(JSON.stringify(table)))).toEqual(
      [unigram, unigram, bigram, bigram].map((table) => ({ vocabulary: 64, table, online: 0 })),
    );
  });
});

test('held-out passages stand at equal distances among all', async () => {
  const pair = await bundledPair();
  const all = (JSON.parse(readFileSync(pair.heldOut, 'utf8')) as { source: string }[]).map(({ source }) => source);
  for (const count of [1, 3, 50, all.length]) {
    const found = await passagesOf(pair, count);
    expect(found).toEqual(Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]));
  }
  const refusal = {
    code: 'option-invalid',
    message: `--passages: expected at most ${all.length}, found ${all.length + 1}`,
  };
  await expect(passagesOf(pair, all.length + 1)).rejects.toMatchObject(refusal);
});
