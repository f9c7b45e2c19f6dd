import fc from 'fast-check';
import { CostKeeper } from '../../../api/costs/keeper';
import { isSameKey, readKept, writeKept } from '../../../api/costs/kept';
import type { CostParts } from '../../../api/costs/parts';
import { COST_WAYS, type KeptCosts, type KeptWay } from '../../../decoding';

const saved: KeptCosts[] = [];
jest.mock('../../../api/costs/store.node', () => ({
  openCosts: async () => ({ kept: {}, save: async (costs: KeptCosts) => void saved.push(costs) }),
}));

const KEY = { target: 'a', threads: 2, copy: null, wide: true };
const WAY: KeptWay = { target: [[1, 1]], draft: [[1, 0.5]], further: [[1, 0.4]], opening: 1, alpha: 0.5 };

const cost = (least: number) => fc.double({ min: least, max: 1e6, noNaN: true }).map((value) => value + 0); // JSON has no −0
const curve = (least: number, fewest: number) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: fewest, maxLength: 20 })
    .chain((rows) =>
      fc.tuple(fc.constant(rows.sort((a, b) => a - b)), fc.array(cost(least), { minLength: 20, maxLength: 20 })),
    )
    .map(([rows, costs]) => rows.map((at, i): [number, number] => [at, costs[i]]));
const way: fc.Arbitrary<KeptWay> = fc.record({
  target: curve(1e-6, 1),
  draft: curve(0, 0),
  further: curve(0, 0),
  opening: cost(0),
  alpha: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
});
const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));

const failure = (changes: object, name: string = 'greedy') => {
  try {
    readKept(JSON.stringify({ format: 'tandem-costs', version: 2, key: KEY, [name]: { ...WAY, ...changes } }));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};
const points = (count: number) => Array.from({ length: count }, (_, i) => [i + 1, 1]);

describe('the text of a file of costs', () => {
  it('reads back as it was written, for any key and any costs in range', () => {
    const ways = fc.record({ greedy: way, coupled: way, sampled: way }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value, { noNullPrototype: true }), ways, (key, costs) => {
        fc.pre(!Object.hasOwn(key, '__proto__'));
        const found = readKept(writeKept(key, costs));
        expect(found).toEqual({ key, costs });
        expect(isSameKey(found.key, key)).toBe(true);
      }),
    );
  });

  it.each<[keyof KeptWay, readonly unknown[], readonly unknown[]]>([
    [
      'target',
      [
        [[1, 1e-6]],
        [[1, 1e6]],
        [
          [1, 1],
          [2, 1],
        ],
        [[2 ** 53 - 1, 1]],
        points(256),
      ],
      [
        [],
        [[1, 0.9e-6]],
        [[1, 1e6 + 1]],
        [[0, 1]],
        [[1.5, 1]],
        [[2 ** 53, 1]],
        [
          [1, 1],
          [1, 1],
        ],
        [
          [2, 1],
          [1, 1],
        ],
        points(257),
      ],
    ],
    ['target', [], [[[1]], [[1, 1, 1]], [1], ['11'], 'text', null, {}, [['1', 1]], [[1, '1']], [[1, null]], [null]]],
    [
      'draft',
      [[], [[1, 0]], [[1, 1e6]], points(256)],
      [[[1, -1e-9]], [[1, 1e6 + 1]], points(257), null, [[1]], 'text'],
    ],
    [
      'further',
      [[], [[1, 0]], [[1, 1e6]], points(256)],
      [[[1, -1e-9]], [[1, 1e6 + 1]], points(257), null, undefined, [[1]], 'text'],
    ],
    ['opening', [0, 1e6], [-1e-9, 1e6 + 1, null, '1', [1], true]],
    ['alpha', [0, 1], [-1e-9, 1 + 1e-9, null, '0', [0], false]],
  ])('takes %s from its least value to its largest, and no other', (name, taken, refused) => {
    for (const kind of COST_WAYS) {
      for (const one of taken) expect([one, failure({ [name]: one }, kind)]).toEqual([one, null]);
      for (const one of refused) {
        const message = `expected costs of ${kind} decoding that are numbers in range, by rising rows, found `;
        expect([one, failure({ [name]: one }, kind)]).toEqual([one, expect.stringContaining(message)]);
      }
    }
    expect(failure({ [name]: 'x' }, 'another way')).toBeNull();
  });

  it.each([null, [], 'text', 7, { a: {} }, { a: [] }])('takes no key that is %j', (key) => {
    expect(() => readKept(JSON.stringify({ format: 'tandem-costs', version: 2, key }))).toThrow(
      /expected a key of texts/,
    );
  });

  it('is of this format and this version, both, and what it says of itself is in the refusal', () => {
    const read = (format: string, version: number) => () => readKept(JSON.stringify({ format, version, key: KEY }));
    expect(read('tandem-costs', 2)).not.toThrow();
    for (const [format, version] of [
      ['tandem-costs', 1],
      ['tandem-costs', 3],
      ['other-costs', 2],
    ] as const) {
      const found = `{"format":"${format}","version":${version}}`;
      expect(read(format, version)).toThrow(`expected tandem-costs, version 2, found ${found}`);
    }
  });

  it('is quoted up to 60 characters, without control characters', () => {
    for (const [length, end] of [
      [60, ''],
      [61, '…'],
    ] as const) {
      expect(() => readKept('x'.repeat(length))).toThrow(new RegExp(`found ${'x'.repeat(60)}${end}$`));
    }
    expect(() => readKept('\u001b[2J')).toThrow(/found \\x1b\[2J$/);
    expect(() => readKept('null')).toThrow(/expected tandem-costs, version 2, found \{\}$/);
  });
});

describe('what is learnt', () => {
  it('is kept when there are 24 rounds, then when there are twice as many more; at the end when there are 24 new ones', async () => {
    const rounds = fc.array(fc.tuple(fc.nat(60), fc.boolean()), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rounds, fc.boolean(), async (steps, learns) => {
        saved.length = 0;
        const keeper = await CostKeeper.open({} as CostParts, () => undefined);
        let [known, kept, files] = [0, 0, 0];
        Object.defineProperty(keeper.costs, 'rounds', { get: () => known });
        Object.defineProperty(keeper.costs, 'keep', { value: () => (learns ? { greedy: WAY } : {}) });
        for (const [more, closes] of steps) {
          known += more;
          const least = closes ? 24 + kept : 24 + 2 * kept;
          if (known >= least) {
            kept = known;
            files += learns ? 1 : 0;
          }
          if (closes) await keeper.close();
          else keeper.afterCall();
        }
        await keeper.close();
        if (known >= 24 + kept) files += learns ? 1 : 0;
        expect(saved).toHaveLength(files);
      }),
    );
  });
});
