import fc from 'fast-check';
import type { Tandem } from '../../../api';
import { measureDecode } from '../../../cli/bench/measure';

const ratio = fc.option(fc.double({ min: 0.01, max: 2, noNaN: true }), { nil: null });
/** One text's runs; seconds are powers of two, so that sums of them are exact. */
const texts = fc.array(
  fc.record({
    tokens: fc.integer({ min: 1, max: 50 }),
    plain: fc.constantFrom(0.25, 1, 4),
    drafted: fc.constantFrom(0.125, 0.5, 2),
    calls: fc.integer({ min: 1, max: 50 }),
    alpha: fc.double({ min: 0, max: 1, noNaN: true }),
    ...{ c: ratio, v: ratio, equal: fc.boolean() },
  }),
  { minLength: 1, maxLength: 6 },
);
const { signal } = new AbortController();
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);
const mean = (values: readonly (number | null)[]) => {
  const found = values.filter((value) => value !== null);
  return found.length === 0 ? null : expect.closeTo(sum(found) / found.length, 12);
};

describe('the figures of decoding', () => {
  it('are sums over all texts after a first run that does not count, with the draft and without it', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.constantFrom<number | 'auto'>(3, 'auto'), async (list, gamma) => {
        const asked: unknown[] = [];
        const compare = async (text: string, options: object) => {
          asked.push([text, options]);
          const one = list[Number(text)];
          return {
            autoregressive: { metrics: { newTokens: one.tokens, seconds: one.plain } },
            speculative: {
              metrics: {
                ...{ newTokens: one.tokens, seconds: one.drafted, targetCalls: one.calls },
                ...{ acceptanceRate: one.alpha, costRatio: one.c, verifyRatio: one.v },
              },
            },
            equal: one.equal,
          };
        };
        const tandem = { drafter: 'draft', compare } as unknown as Tandem;
        const names = list.map((_, i) => String(i));
        const found = await measureDecode(tandem, names, { maxNewTokens: 7, gamma, signal });
        const tokens = sum(list.map((one) => one.tokens));
        const [plain, drafted] = [sum(list.map((one) => one.plain)), sum(list.map((one) => one.drafted))];
        expect(found).toEqual({
          ...{ texts: list.length, tokens, plain: tokens / plain, speculative: tokens / drafted },
          speedup: expect.closeTo(plain / drafted, 12),
          equal: list.every(({ equal }) => equal),
          acceptanceRate: mean(list.map(({ alpha }) => alpha)),
          ...{ c: mean(list.map(({ c }) => c)), v: mean(list.map(({ v }) => v)) },
          tokensPerTargetCall: tokens / sum(list.map(({ calls }) => calls)),
        });
        const how = { maxNewTokens: 7, gamma, temperature: 0, signal };
        expect(asked).toEqual(['0', ...names].map((text) => [text, how]));
      }),
    );
  });

  it('have one speed where nothing drafts', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (list) => {
        const asked: string[] = [];
        const generate = async (text: string) => {
          asked.push(text);
          const { tokens, plain } = list[Number(text)];
          return { metrics: { newTokens: tokens, seconds: plain } };
        };
        const names = list.map((_, i) => String(i));
        const tandem = { drafter: null, generate } as unknown as Tandem;
        const tokens = sum(list.map((one) => one.tokens));
        expect(await measureDecode(tandem, names, { gamma: 4, signal })).toEqual({
          ...{ texts: list.length, tokens, plain: tokens / sum(list.map((one) => one.plain)), equal: true },
          ...{ speculative: null, speedup: null, acceptanceRate: null, c: null, v: null, tokensPerTargetCall: null },
        });
        expect(asked).toEqual(['0', ...names]);
      }),
    );
  });
});
