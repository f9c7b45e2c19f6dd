import fc from 'fast-check';
import { type LogitsProcessor, type Processing, seededRandom } from '../../../decoding';
import { isEmpty, probabilityOf } from '../../../decoding/sampling/distribution';
import { race, sample, sampleWithoutReplacement } from '../../../decoding/sampling/draw';
import { distributionOf, isPlainGreedy } from '../../../decoding/sampling/processors';

const EOS = 1;
const context = (ids: readonly number[]) => ({ ids, eosTokens: [EOS] });
const LOGITS = [0.5, 2, -1, 3, 2];

/** Probabilities by token. */
function probabilities(logits: readonly number[], processing: Processing, ids: readonly number[] = [0]): number[] {
  const distribution = distributionOf(logits, context(ids), processing);
  return logits.map((_, token) => probabilityOf(distribution, token));
}

const support = (list: readonly number[]) => list.flatMap((probability, token) => (probability > 0 ? [token] : []));

describe('processors', () => {
  it('make a distribution that sums to 1 (1e-12) and whose support each rule bounds', () => {
    const processing = fc.record(
      {
        temperature: fc.double({ min: 0.05, max: 5, noNaN: true }),
        topK: fc.integer({ min: 1, max: 12 }),
        topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
        minP: fc.double({ min: 0, max: 1, noNaN: true }),
        repetitionPenalty: fc.double({ min: 0.2, max: 4, noNaN: true }),
        suppressTokens: fc.array(fc.integer({ min: 2, max: 5 }), { maxLength: 3 }),
      },
      { requiredKeys: ['temperature'] },
    );
    const logits = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 8, maxLength: 12 });
    const seen = { topK: 0, suppressed: 0, minP: 0 };
    fc.assert(
      fc.property(logits, processing, (logits, processing) => {
        const list = probabilities(logits, processing, [0, 3, 7]);
        expect(Math.abs(list.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThan(1e-12);
        if (processing.topK !== undefined) {
          seen.topK++;
          expect(support(list).length).toBeLessThanOrEqual(processing.topK);
        }
        for (const token of processing.suppressTokens ?? []) {
          seen.suppressed++;
          expect(list[token]).toBe(0);
        }
        const kept = Math.max(...list);
        if (processing.minP) {
          seen.minP++;
          for (const token of support(list))
            expect(list[token]).toBeGreaterThanOrEqual(processing.minP * kept * (1 - 1e-9));
        }
      }),
    );
    expect(Math.min(seen.topK, seen.suppressed, seen.minP)).toBeGreaterThan(5);
  });

  it('temperature 0 is the one-hot arg-max, ties to the lowest id', () => {
    expect(probabilities([1, 7, 7, 3], {})).toEqual([0, 1, 0, 0]);
  });

  it('top-k ties go to the lowest id', () => {
    expect(support(probabilities([2, 5, 2, 2], { temperature: 1, topK: 2 }))).toEqual([0, 1]);
  });

  it('top-p keeps the fewest tokens that hold the mass', () => {
    const logits = [0.5, 0.3, 0.15, 0.05].map(Math.log);
    expect(support(probabilities(logits, { temperature: 1, topP: 0.79 }))).toEqual([0, 1]);
    expect(support(probabilities(logits, { temperature: 1, topP: 0.81 }))).toEqual([0, 1, 2]);
    expect(support(probabilities(logits, { temperature: 1, topP: 1e-9 }))).toEqual([0]);
  });

  it('truncates as sorting the whole vocabulary would (same tokens; probabilities within 1e-12)', () => {
    const rules = fc.record(
      {
        topK: fc.integer({ min: 1, max: 40 }),
        topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
        minP: fc.double({ min: 0, max: 1, noNaN: true }),
      },
      { requiredKeys: [] },
    );
    const logits = fc.array(fc.oneof(fc.integer({ min: -30, max: 3 }), fc.double({ min: -800, max: 5, noNaN: true })), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(logits, rules, (logits, rules) => {
        const whole = probabilities(logits, { temperature: 1 });
        const order = [...whole.keys()]
          .filter((token) => whole[token] > 0)
          .sort((a, b) => whole[b] - whole[a] || a - b);
        const first = order.slice(0, rules.topK ?? order.length);
        const mass = rules.topK === undefined ? 1 : first.reduce((sum, token) => sum + whole[token], 0);
        const kept: number[] = [];
        let sum = 0;
        for (const token of first) {
          const enough = rules.topP !== undefined && sum >= rules.topP * mass;
          if (enough || (kept.length > 0 && whole[token] < (rules.minP ?? 0) * whole[order[0]])) break;
          kept.push(token);
          sum += whole[token];
        }
        const found = probabilities(logits, { temperature: 1, ...rules });
        expect(support(found)).toEqual([...kept].sort((a, b) => a - b));
        for (const token of kept) expect(Math.abs(found[token] - whole[token] / sum)).toBeLessThan(1e-12);
      }),
    );
  });

  it('a repetition penalty divides positive and multiplies negative logits of ids that are there', () => {
    const plain = probabilities([0.5, 1, -0.5, 3, 2], { temperature: 1 });
    expect(probabilities(LOGITS, { temperature: 1, repetitionPenalty: 2 }, [0, 1, 2])).not.toEqual(plain);
    const expected = probabilities([0.25, 1, -2, 3, 2], { temperature: 1 });
    expect(probabilities(LOGITS, { temperature: 1, repetitionPenalty: 2 }, [0, 1, 2])).toEqual(expected);
  });

  it('no n-gram comes twice', () => {
    const ids = [0, 3, 4, 2, 3];
    expect(probabilities(LOGITS, { temperature: 1, noRepeatNgramSize: 2 }, ids)[4]).toBe(0);
    expect(probabilities(LOGITS, { temperature: 1, noRepeatNgramSize: 3 }, ids)[4]).toBeGreaterThan(0);
    expect(support(probabilities(LOGITS, { temperature: 1, noRepeatNgramSize: 1 }, ids))).toEqual([1]);
  });

  it('EOS is forbidden before the minimum length and allowed after it', () => {
    expect(probabilities(LOGITS, { temperature: 1, minNewTokens: 2 }, [0, 3])[EOS]).toBe(0);
    expect(probabilities(LOGITS, { temperature: 1, minNewTokens: 2 }, [0, 3, 3])[EOS]).toBeGreaterThan(0);
  });

  it('bad words are never completed; a bad word of one token never comes out', () => {
    const processing = { temperature: 1, badWords: [[3, 4], [2]] };
    expect(support(probabilities(LOGITS, processing, [0, 3]))).toEqual([0, 1, 3]);
    expect(support(probabilities(LOGITS, processing, [0, 4]))).toEqual([0, 1, 3, 4]);
  });

  it('a bad word that is exactly an EOS is dropped, as in Hugging Face’s generate; a longer one that ends in it is not', () => {
    const processing = { temperature: 1, badWords: [[EOS], [3, EOS]] };
    expect(probabilities(LOGITS, processing, [0, 4])[EOS]).toBeGreaterThan(0);
    expect(probabilities(LOGITS, processing, [0, 3])[EOS]).toBe(0);
  });

  it('a mass of 1 and a cutoff of 0 change nothing, to the last bit', () => {
    const logits = [0, -20, -40, -60, -80, -700]; // below 2⁻⁵³ of the mass, and below all that a sum can hold
    const plain = distributionOf(logits, context([0]), { temperature: 1 });
    for (const rule of [{ topP: 1 }, { typicalP: 1 }, { minP: 0 }, { epsilonCutoff: 0 }, { etaCutoff: 0 }]) {
      expect(distributionOf(logits, context([0]), { temperature: 1, ...rule })).toEqual(plain);
    }
    expect(support(probabilities(logits, { temperature: 1, topP: 1 }))).toHaveLength(6);
  });

  it('rules that look at the source are refused where there is none', () => {
    for (const rule of [{ encoderRepetitionPenalty: 2 }, { encoderNoRepeatNgramSize: 2 }]) {
      const run = () => distributionOf(LOGITS, context([0]), rule);
      expect(run).toThrow(/^encoder\w+: expected source ids in the context, found none$/);
      expect(() => distributionOf(LOGITS, { ...context([0]), source: [3, 1] }, rule)).not.toThrow();
    }
  });

  it('an allowed token that the vocabulary does not have is refused by name', () => {
    for (const id of [5, -1, 1.5, '2']) {
      const run = () => distributionOf(LOGITS, context([0]), { prefixAllowedTokens: () => [id as number] });
      const message = expect.stringMatching(/^prefixAllowedTokens: expected ids from 0 to 4 at position 1, found /);
      expect(run).toThrow(expect.objectContaining({ code: 'processor-invalid', message }));
    }
    expect(isEmpty(distributionOf(LOGITS, context([0]), { prefixAllowedTokens: () => [] }))).toBe(true);
  });

  it('a forced prefix leaves no choice until it ends', () => {
    expect(probabilities(LOGITS, { temperature: 1, forcedPrefix: [2, 0] }, [0])).toEqual([0, 0, 1, 0, 0]);
    expect(probabilities(LOGITS, { temperature: 1, forcedPrefix: [2, 0] }, [0, 2])).toEqual([1, 0, 0, 0, 0]);
    expect(support(probabilities(LOGITS, { temperature: 1, forcedPrefix: [2, 0] }, [0, 2, 0]))).toHaveLength(5);
  });

  it('forbidding everything leaves the empty distribution, and to draw from it is an error that says where', () => {
    const context = { ids: [0], eosTokens: [] };
    const empty = distributionOf([1, 2], context, { suppressTokens: [0, 1] });
    expect(isEmpty(empty)).toBe(true);
    const at = { sequence: 'main', round: 0, position: 1 };
    const error = { code: 'no-token-left', message: 'position 1: expected a token to choose, found all forbidden' };
    expect(() => sample(empty, seededRandom(1), { ...at, purpose: 'bonus' })).toThrow(expect.objectContaining(error));
    expect(() => race(empty, seededRandom(1), at)).toThrow(expect.objectContaining(error));
    expect(sampleWithoutReplacement(empty, 2, seededRandom(1), at)).toEqual([]);
  });

  describe('of the caller', () => {
    const context = { ids: [0, 2], eosTokens: [] };

    it('run one after another on float64 logits after all other processors, and may edit in place or return anew', () => {
      const seen: unknown[] = [];
      const processors: LogitsProcessor[] = [
        (ids, logits) => {
          seen.push([...ids], [...logits]);
          logits[0] += 1;
        },
        (_, logits) => logits.map((logit) => logit * 2),
      ];
      const found = distributionOf([1, 2, 3], context, { temperature: 1, suppressTokens: [1], processors });
      expect(seen).toEqual([
        [0, 2],
        [1, Number.NEGATIVE_INFINITY, 3],
      ]);
      const expected = distributionOf([4, Number.NEGATIVE_INFINITY, 6], context, { temperature: 1 });
      expect([...found.probabilities]).toEqual([...expected.probabilities]);
    });

    it('cannot change the ids of the run, nor the logits of the model', () => {
      const ids = [0, 2];
      const logits = Float32Array.of(1, 2, 3);
      const processors: LogitsProcessor[] = [
        (given, row) => {
          (given as number[]).push(9);
          row.fill(5);
        },
      ];
      distributionOf(logits, { ids, eosTokens: [] }, { temperature: 1, processors });
      expect([ids, [...logits]]).toEqual([
        [0, 2],
        [1, 2, 3],
      ]);
    });

    it.each<[string, LogitsProcessor, RegExp]>([
      ['too few logits', (_, logits) => logits.slice(1), /processors\[0\]: expected 3 logits .* of length 2/],
      [
        'NaN',
        (_, logits) => logits.fill(Number.NaN),
        /expected 3 logits below infinity at position 2, found the logit NaN/,
      ],
      ['infinity', (_, logits) => logits.fill(Number.POSITIVE_INFINITY), /found the logit Infinity/],
      ['text', (() => 'abc') as never, /found 'abc' of length 3/],
    ])('that return %s are refused by name', (_, processor, message) => {
      const run = () => distributionOf([1, 2, 3], context, { processors: [processor] });
      expect(run).toThrow(
        expect.objectContaining({ code: 'processor-invalid', message: expect.stringMatching(message) }),
      );
    });
  });

  it('only plain greedy may skip the logits', () => {
    expect(isPlainGreedy({})).toBe(true);
    const others: Processing[] = [
      { temperature: 1 },
      { repetitionPenalty: 1.1 },
      { noRepeatNgramSize: 2 },
      { minNewTokens: 1 },
      { badWords: [[1]] },
      { suppressTokens: [1] },
      { processors: [() => undefined] },
      { forcedPrefix: [1] },
      { sequenceBias: [[[1], 1]] },
      { encoderRepetitionPenalty: 2 },
      { encoderNoRepeatNgramSize: 2 },
      { prefixAllowedTokens: () => [1] },
      { forcedBosToken: 1 },
      { forcedEosToken: 1 },
      { exponentialDecayLengthPenalty: [1, 2] },
      { beginSuppressTokens: [1] },
    ];
    for (const processing of others) expect(isPlainGreedy(processing)).toBe(false);
    expect(isPlainGreedy({ topK: 1, topP: 0.5, minP: 0.5 })).toBe(true);
  });
});
