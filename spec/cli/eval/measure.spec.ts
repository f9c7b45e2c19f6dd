/** What tandem eval asks a model for, and what it counts, with a model that only writes down what it is asked. */
import fc from 'fast-check';
import type { Tandem } from '../../../api';
import { bleu } from '../../../cli/eval/bleu';
import { chrf } from '../../../cli/eval/chrf';
import { evaluate } from '../../../cli/eval/measure';
import { addTallies, metricsOf } from '../../../decoding';

const pairs = fc.array(
  fc.record({
    source: fc.constantFrom('a b', 'c', 'd e f'),
    reference: fc.constantFrom('a b', 'g h', 'i'),
    text: fc.constantFrom('a b', 'c', 'i j'),
    tokens: fc.integer({ min: 1, max: 9 }),
    logProb: fc.integer({ min: -9, max: 0 }),
  }),
  { minLength: 1, maxLength: 40, size: 'max' }, // by default, lists are short: most would be one group
);
const { signal } = new AbortController();
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('the measurement of tandem eval', () => {
  let clock: jest.SpyInstance | undefined;
  afterEach(() => clock?.mockRestore());

  it('decodes at most 16 texts at once, and tells of every pair when it is done', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (list) => {
        let [next, now] = [0, 0];
        const [groups, told]: [number[], number[]] = [[], []];
        const scored: string[] = [];
        const tandem = {
          core: { drafts: [], target: {}, tokenizer: null },
          generate: async (sources: readonly string[], options: object) => {
            expect(options).toEqual({ maxNewTokens: 5, signal });
            expect(sources).toEqual(list.slice(next, next + sources.length).map(({ source }) => source));
            groups.push(sources.length);
            const results = list.slice(next, next + sources.length).map(({ text, tokens }) => ({
              ...{ text, ids: [1] },
              metrics: metricsOf({ ...addTallies([]), newTokens: tokens, targetCalls: tokens }),
            }));
            next += sources.length;
            now += 1500;
            return results;
          },
          encode: async () => [1],
          score: async (source: string, [reference]: readonly string[]) => {
            const { logProb, tokens } = list[scored.length];
            scored.push(`${source}\t${reference}`);
            now += 10_000; // which is no decoding
            return [{ logProb, ids: new Array(tokens).fill(1) }];
          },
        } as unknown as Tandem;
        const onPair = (done: number) => void told.push(done);
        clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
        const found = await evaluate({ tandem, pairs: list, options: { maxNewTokens: 5 }, signal, onPair });

        expect(groups.slice(0, -1).every((size) => size === 16)).toBe(true);
        expect(told).toEqual(groups.map((_, i) => sum(groups.slice(0, i + 1))));
        expect(told.at(-1)).toBe(list.length);
        expect(scored).toEqual(list.map(({ source, reference }) => `${source}\t${reference}`));
        const tokens = sum(list.map((one) => one.tokens));
        const references = list.map(({ reference }) => reference);
        const of = (texts: string[]) => ({ bleu: bleu(texts, references), chrf: chrf(texts, references) });
        expect(found).toMatchObject({
          ...{ pairs: list.length, texts: list.map(({ text }) => text), draftAlone: null, agreement: null },
          quality: of(list.map(({ text }) => text)),
          copying: of(list.map(({ source }) => source)),
          loss: { tokens, perToken: expect.closeTo(-sum(list.map(({ logProb }) => logProb)) / tokens, 12) },
          speed: { tokens, seconds: 1.5 * groups.length, metrics: { newTokens: tokens, targetCalls: tokens } },
        });
      }),
    );
  });

  it('ends with the first error of a text, and says where there are no models in this thread', async () => {
    const generate = async () => [{ error: new Error('too long') }];
    const job = { pairs: [{ source: 'a', reference: 'b' }], options: {}, signal, onPair: () => undefined };
    const failing = { core: { drafts: [] }, generate } as unknown as Tandem;
    await expect(evaluate({ ...job, tandem: failing })).rejects.toThrow('too long');
    const elsewhere = { core: null, generate } as unknown as Tandem;
    await expect(evaluate({ ...job, tandem: elsewhere })).rejects.toMatchObject({ code: 'unavailable' });
  });
});
