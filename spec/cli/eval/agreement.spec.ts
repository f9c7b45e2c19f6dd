/** How far two models agree along texts, beside a plain statement of it, and what they are asked for. */
import fc from 'fast-check';
import { AgreementMeter } from '../../../cli/eval/agreement';
import type { SequenceModel } from '../../../engine';

const VOCABULARY = 3;
const { signal } = new AbortController();
const logits = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: VOCABULARY, maxLength: VOCABULARY });
/** A text, and what each of two models says before each of its ids. */
const text = fc.array(fc.nat(VOCABULARY - 1), { minLength: 1, maxLength: 4 }).chain((ids) => {
  const rows = fc.array(logits, { minLength: ids.length, maxLength: ids.length });
  return fc.record({ ids: fc.constant(ids), source: fc.array(fc.nat(9), { minLength: 1 }), target: rows, draft: rows });
});

/** A model that says the rows of one text after the other, and counts what it has open. */
function modelOf(startToken: number, texts: readonly (readonly (readonly number[])[])[]) {
  const sources: unknown[] = [];
  const inputs: unknown[][] = [];
  let open = 0;
  const opened = <T extends object>(one: T) => {
    open++;
    return { ...one, dispose: () => void open-- };
  };
  const model = {
    ...{ startToken, eosTokens: [1] },
    encode: async (asked: unknown, options: object) => {
      sources.push([asked, options]);
      return [opened({ open: () => opened({}) })];
    },
    forward: async (requests: readonly { stream: object; token: number; position: number; parent: number }[]) => {
      const rows = texts[inputs.length];
      inputs.push(requests.map(({ token, position, parent }) => [token, position, parent]));
      return opened({
        argMax: async () => rows.map((row) => row.indexOf(Math.max(...row))),
        read: async (row: number) => Float32Array.from(rows[row]),
      });
    },
  };
  return { model: model as unknown as SequenceModel, sources, inputs, open: () => open };
}

const softmax = (row: readonly number[]) => {
  const sum = row.reduce((all, one) => all + Math.exp(one), 0);
  return row.map((one) => Math.exp(one) / sum);
};

describe('the agreement of two models', () => {
  it('is the share of equal choices and the mean of Σ min, over all tokens of all texts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), async (texts) => {
        const [own, other] = [
          modelOf(
            7,
            texts.map(({ target }) => target),
          ),
          modelOf(
            8,
            texts.map(({ draft }) => draft),
          ),
        ];
        const meter = new AgreementMeter(own.model, other.model);
        for (const { source, ids } of texts) await meter.add(source, ids, signal);
        const best = (row: readonly number[]) => row.indexOf(Math.max(...row));
        const rows = texts.flatMap(({ target, draft }) => target.map((row, i) => [row, draft[i]] as const));
        const shared = rows.map(([one, two]) => {
          const [p, q] = [softmax(one), softmax(two)];
          return p.reduce((sum, value, i) => sum + Math.min(value, q[i]), 0);
        });
        expect(meter.finish()).toEqual({
          positions: rows.length,
          greedy: rows.filter(([one, two]) => best(one) === best(two)).length / rows.length,
          sampled: expect.closeTo(shared.reduce((sum, value) => sum + value, 0) / rows.length, 6),
        });
        for (const [{ sources, inputs, open }, start] of [
          [own, 7],
          [other, 8],
        ] as const) {
          expect(sources).toEqual(texts.map(({ source }) => [[source], { signal }]));
          // The start token, then each id but the last; each follows the one before it.
          const before = texts.map(({ ids }) => [start, ...ids.slice(0, -1)]);
          expect(inputs).toEqual(before.map((tokens) => tokens.map((token, i) => [token, i, i - 1])));
          expect(open()).toBe(0);
        }
      }),
    );
  });
});
