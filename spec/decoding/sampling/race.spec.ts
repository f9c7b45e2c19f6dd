import fc from 'fast-check';
import { collect, generate, modelDrafter, type Settings, TraceRecorder } from '../../../decoding';
import { fastestByTops, type RaceNumbers } from '../../../decoding/sampling/race';
import { type LogitsView, loadModel, type T5Model } from '../../../engine';
import { type Backend, BLOCK, blocksOf, createWasmBackend } from '../../../kernels';
import { numbersOf } from '../../support/race-numbers';
import { randomCheckpoint, seeded, tinyConfig } from '../../support/random-checkpoint';

/** A view of one row that knows its logits up to `slack`, and counts the blocks that it is asked for. */
function boundedView(row: Float32Array, slack: readonly number[]): { view: LogitsView; asked: number[] } {
  const asked: number[] = [];
  const tops = Float32Array.from({ length: Math.ceil(row.length / BLOCK) }, (_, block) => {
    const most = Math.max(...row.subarray(block * BLOCK, (block + 1) * BLOCK));
    return most + slack[block % slack.length];
  });
  const view = {
    tops: async () => tops,
    blocks: async (_row: number, blocks: readonly number[]) => {
      asked.push(...blocks);
      return blocksOf(row, blocks);
    },
  };
  return { view: view as unknown as LogitsView, asked };
}

function slowest(row: Float32Array, temperature: number, list: readonly number[]): number {
  const most = Math.max(...row);
  const times = list.map((number, token) => number / Math.exp((row[token] - most) / temperature));
  return times.indexOf(Math.min(...times));
}

/** The numbers, which count the times that one is asked for whose bound shows that it cannot be that of the winner. */
function watchedNumbers(numbers: RaceNumbers, row: Float32Array, temperature: number) {
  const most = Math.max(...row);
  const seen = { asked: 0, needless: 0 };
  let least = Number.POSITIVE_INFINITY;
  const of = (token: number) => {
    const weight = Math.exp((row[token] - most) / temperature);
    seen.asked++;
    if (numbers.bounds[Math.floor(token / BLOCK)] > least * weight * (1 + 1e-6)) seen.needless++;
    least = Math.min(least, numbers.of(token) / weight);
    return numbers.of(token);
  };
  return { seen, numbers: { ...numbers, of } };
}

describe('a race by bounds of logits', () => {
  it('has the winner of the race by all logits, whatever the bounds, and asks for no block and no number in vain', async () => {
    let known = 0;
    let asked = 0;
    let [blocks, all] = [0, 0];
    const test = fc.record({
      seed: fc.nat(1e6),
      size: fc.integer({ min: 2, max: 3000 }),
      spread: fc.constantFrom(0.5, 3, 8),
      temperature: fc.constantFrom(1, 0.3, 2),
      slack: fc.array(fc.constantFrom(0, 0.01, 0.5, 3), { minLength: 1, maxLength: 7 }),
      part: fc.constantFrom(1, 0.9, 0.5),
      tight: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(test, async ({ seed, size, spread, temperature, slack, part, tight }) => {
        const random = seeded(seed);
        // A few tokens stand out, as in a model's logits.
        const row = Float32Array.from({ length: size }, () => spread * random() + (random() < 0.01 ? 12 : 0));
        const blockNumbers = Array.from({ length: Math.ceil(size / BLOCK) }, () => -Math.log(random() + 1e-12));
        const list = Array.from({ length: size }, (_, token) =>
          tight ? blockNumbers[Math.floor(token / BLOCK)] * (1 + 0.1 * random()) : -Math.log(random() + 1e-12),
        );
        const { view, asked: askedBlocks } = boundedView(row, slack);
        const { seen, numbers } = watchedNumbers(numbersOf(list, part), row, temperature);
        const found = await fastestByTops(view, 0, temperature, () => numbers);
        expect(new Set(askedBlocks).size).toBe(askedBlocks.length);
        expect(seen.needless).toBe(0);
        asked += seen.asked;
        if (found === null) return;
        known++;
        blocks += askedBlocks.length;
        all += Math.ceil(size / BLOCK);
        expect(found).toBe(slowest(row, temperature, list));
      }),
      { numRuns: 600 },
    );
    expect(known).toBeGreaterThan(200);
    expect(asked).toBeGreaterThan(1000);
    expect(blocks / all).toBeLessThan(0.5);
  });

  it('finds a token of another block that is only just faster, and none that is only just slower', async () => {
    const test = fc.record({
      distance: fc.oneof(fc.float({ min: 1, max: 20, noNaN: true }), fc.constantFrom(6, 5.999, 6.001)),
      gap: fc.constantFrom(0.1, 1e-3, 1e-6, 1e-9),
      isFaster: fc.boolean(),
      slack: fc.constantFrom(0, 0.1),
    });
    await fc.assert(
      fc.asyncProperty(test, async ({ distance, gap, isFaster, slack }) => {
        const other = 2 * BLOCK + 3;
        const row = new Float32Array(30 * BLOCK).fill(-90);
        [row[0], row[other]] = [5, 5 - distance];
        const list = new Array(row.length).fill(0.7);
        const weight = Math.exp(row[other] - row[0]);
        [list[0], list[other]] = [1e-4, 1e-4 * weight * (isFaster ? 1 - gap : 1 + gap)];
        const { view } = boundedView(row, [slack]);
        expect(await fastestByTops(view, 0, 1, () => numbersOf(list, 1))).toBe(isFaster ? other : 0);
      }),
      { numRuns: 300 },
    );
  });

  it('knows nothing where weights are so far below the bound of the logits that they have lost bits', async () => {
    const row = new Float32Array(BLOCK).fill(-9);
    [row[0], row[1]] = [0, -1e-5];
    const list = new Array(BLOCK).fill(0.7);
    const temperature = 1e-3;
    [list[0], list[1]] = [1e-14, 1e-14 * 0.9895]; // the second weight is 0.99005 of the first, so that the second token is faster
    const winner = (slack: number) =>
      fastestByTops(boundedView(row, [slack]).view, 0, temperature, () => numbersOf(list, 1));
    expect(await winner(0)).toBe(1);
    expect(await winner(0.6)).toBe(1);
    expect(await winner(0.74)).toBeNull(); // e^−740 has seven bits
  });

  it('knows nothing without bounds, without numbers, and where two tokens finish together', async () => {
    const row = Float32Array.of(1, 1, 0);
    const { view } = boundedView(row, [0]);
    const numbers = numbersOf([0.25, 0.25, 9], 1);
    expect(await fastestByTops(view, 0, 1, () => numbers)).toBeNull();
    expect(await fastestByTops(view, 0, 1, () => null)).toBeNull();
    expect(await fastestByTops({ ...view, tops: async () => null }, 0, 1, () => numbers)).toBeNull();
    expect(await fastestByTops({ ...view, tops: undefined }, 0, 1, () => numbers)).toBeNull();
    expect(await fastestByTops(view, 0, 1, () => numbersOf([0.25, 0.26, 9], 1))).toBe(0);
  });
});

describe('coupled decoding with a large vocabulary', () => {
  let backends: Backend[];
  let models: T5Model[];

  beforeAll(async () => {
    backends = await Promise.all(
      [true, false].map((certifiedHead) => createWasmBackend({ certifiedHead, threads: 1 })),
    );
    models = await Promise.all(
      backends.map((backend) => loadModel(randomCheckpoint(tinyConfig({ vocabularySize: 16_500 }), 31), backend)),
    );
  });
  afterAll(async () => {
    for (const backend of backends) await backend.dispose();
  });

  /** The model drafts for itself, so that all it proposes stands. */
  const decode = (target: T5Model, settings: Settings, traced = false) => {
    const drafter = modelDrafter(target);
    const trace = traced ? new TraceRecorder() : undefined;
    return collect(generate({ target, drafter, source: [5, 9, 2, 1], settings, trace }));
  };

  it.each<[string, Settings, boolean]>([
    ['alone', { gamma: 0 }, true],
    ['with a draft', { gamma: 3 }, true],
    ['with a tree', { branching: [2, 1] }, true],
    ['with top-k', { gamma: 3, topK: 20 }, false],
    ['with a rule', { gamma: 3, repetitionPenalty: 1.2 }, false],
  ])('%s: parts of the head give the text of the whole head', async (_, how, inParts) => {
    const [certified, whole] = models;
    const proto = await viewPrototype(certified);
    const asked = jest.spyOn(proto, 'blocks');
    try {
      for (let seed = 0; seed < 6; seed++) {
        for (const temperature of [1, 0.05]) {
          const settings: Settings = { ...how, verification: 'coupled', temperature, seed, maxNewTokens: 10 };
          const found = await decode(certified, settings);
          const before = asked.mock.calls.length;
          const wanted = await decode(whole, settings);
          expect(found.ids).toEqual(wanted.ids);
          expect(found.metrics.accepted).toBe(wanted.metrics.accepted);
          expect((await decode(certified, settings, true)).ids).toEqual(found.ids); // a trace has whole distributions
          expect(asked.mock.calls.length).toBe(before);
        }
      }
      expect(asked.mock.calls.length > 0).toBe(inParts);
    } finally {
      asked.mockRestore();
    }
  });

  it('and so do log-probabilities of its tokens', async () => {
    const settings: Settings = { gamma: 2, verification: 'coupled', temperature: 0.05, logProbs: 2, maxNewTokens: 6 };
    const [found, wanted] = [await decode(models[0], settings), await decode(models[1], settings)];
    expect(found.ids).toEqual(wanted.ids);
    expect(found.logProbs).toEqual(wanted.logProbs);
  });
});

async function viewPrototype(model: T5Model): Promise<Required<Pick<LogitsView, 'blocks'>>> {
  const [encoded] = await model.encode([[5, 1]]);
  const stream = encoded.open();
  const view = await model.forward([{ stream, token: 0, position: 0, parent: -1 }]);
  const prototype = Object.getPrototypeOf(view);
  view.dispose();
  stream.dispose();
  encoded.dispose();
  return prototype;
}
