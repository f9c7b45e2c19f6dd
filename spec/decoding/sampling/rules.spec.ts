import fc from 'fast-check';
import type { LogitsRules } from '../../../decoding';
import {
  applyRules,
  areSparse,
  type Context,
  forbidden,
  forcedToken,
  hasRules,
} from '../../../decoding/sampling/rules';

const VOCABULARY = 7;
const NONE = Number.NEGATIVE_INFINITY;

const id = fc.nat(VOCABULARY - 1);
const ids = (most: number, least = 0) => fc.array(id, { minLength: least, maxLength: most });
/** Source ids; those of a target with more ids than the vocabulary of logits have no effect. */
const source = fc.array(fc.nat(VOCABULARY + 2), { minLength: 1, maxLength: 8 });

const contexts = fc.record({
  ids: ids(9, 1),
  eosTokens: fc.constantFrom([1], [1, 2]),
  source,
  maxNewTokens: fc.integer({ min: 1, max: 9 }),
  isBeam: fc.boolean(),
});

const factor = fc.constantFrom(0.25, 0.5, 1, 2, 3);
const rules: fc.Arbitrary<LogitsRules> = fc.record(
  {
    sequenceBias: fc.array(fc.tuple(ids(3, 1), fc.constantFrom(-2, 0.5, 4)), { maxLength: 4 }),
    encoderRepetitionPenalty: factor,
    repetitionPenalty: factor,
    noRepeatNgramSize: fc.integer({ min: 1, max: 4 }),
    encoderNoRepeatNgramSize: fc.integer({ min: 1, max: 4 }),
    badWords: fc.array(ids(3, 1), { maxLength: 3 }),
    minNewTokens: fc.nat(9),
    forcedBosToken: id,
    forcedEosToken: fc.oneof(id, ids(2, 1)),
    exponentialDecayLengthPenalty: fc.tuple(fc.nat(8), factor),
    suppressTokens: ids(2),
    beginSuppressTokens: ids(2),
    forcedPrefix: ids(3),
  },
  { requiredKeys: [] },
);

/** What comes next if `ids` ends with all but the last of `word`. */
const endOf = (word: readonly number[], before: readonly number[]): number[] => {
  const beginning = word.slice(0, -1).join();
  const tail = before.slice(before.length - (word.length - 1)).join();
  return word.length - 1 <= before.length && (word.length === 1 || tail === beginning) ? [word[word.length - 1]] : [];
};

const windows = (list: readonly number[], size: number) =>
  list.flatMap((_, i) => (i + size <= list.length ? [list.slice(i, i + size)] : []));

/** The rules as Hugging Face's documentation states them, one after another, without any care for speed. */
function stated(logits: readonly number[], context: Required<Omit<Context, 'model'>>, given: LogitsRules): number[] {
  const scores = [...logits];
  const { ids: before, eosTokens } = context;
  const done = before.length - 1; // new tokens
  const forbid = (list: readonly number[]) => {
    for (const one of list) if (one < VOCABULARY) scores[one] = NONE;
  };
  const penalise = (list: readonly number[], penalty: number) => {
    for (const one of [...new Set(list)].filter((each) => each < VOCABULARY)) {
      scores[one] = scores[one] > 0 ? scores[one] / penalty : scores[one] * penalty;
    }
  };
  const force = (list: readonly number[]) => {
    for (let one = 0; one < VOCABULARY; one++) scores[one] = list.includes(one) ? 0 : NONE;
  };
  const biases = given.sequenceBias ?? [];
  biases.forEach(([word, bias], i) => {
    if (biases.slice(i + 1).some(([later]) => later.join() === word.join())) return;
    for (const end of endOf(word, before)) scores[end] += bias;
  });
  if (given.encoderRepetitionPenalty) penalise(context.source, 1 / given.encoderRepetitionPenalty);
  if (given.repetitionPenalty) penalise(before, given.repetitionPenalty);
  if (given.noRepeatNgramSize) forbid(windows(before, given.noRepeatNgramSize).flatMap((word) => endOf(word, before)));
  if (given.encoderNoRepeatNgramSize) {
    forbid(windows(context.source, given.encoderNoRepeatNgramSize).flatMap((word) => endOf(word, before)));
  }
  for (const word of given.badWords ?? []) {
    if (word.length > 1 || !eosTokens.includes(word[0])) forbid(endOf(word, before));
  }
  if (done < (given.minNewTokens ?? 0)) forbid(eosTokens);
  if (given.forcedBosToken !== undefined && done === 0) force([given.forcedBosToken]);
  if (given.forcedEosToken !== undefined && done + 1 === context.maxNewTokens) {
    force([given.forcedEosToken].flat());
  }
  if (given.exponentialDecayLengthPenalty) {
    const [start, base] = given.exponentialDecayLengthPenalty;
    for (const eos of eosTokens) {
      if (done > start && scores[eos] > NONE) scores[eos] += Math.abs(scores[eos]) * (base ** (done - start) - 1);
    }
  }
  forbid(given.suppressTokens ?? []);
  const begin = given.forcedBosToken === undefined ? (given.forcedPrefix ?? []).length : 1;
  if (done === begin) forbid(given.beginSuppressTokens ?? []);
  return scores;
}

const logits = fc.array(fc.constantFrom(-3, -1.5, 0, 0.25, 2, 5), { minLength: VOCABULARY, maxLength: VOCABULARY });
const apply = (row: readonly number[], context: Context, given: LogitsRules) =>
  [...applyRules(Float64Array.from(row), context, given)].map((score) => score + 0); // of two zeros either

describe('the rules of logits', () => {
  it('do together what each states, in their order, for any ids, source and length', () => {
    fc.assert(
      fc.property(logits, contexts, rules, (row, context, given) => {
        expect(apply(row, context, given)).toEqual(stated(row, context, given).map((score) => score + 0));
      }),
      { numRuns: 3000 },
    );
  });

  it('that are sparse forbid what `forbidden` tells, and no other is sparse', () => {
    fc.assert(
      fc.property(contexts, rules, (context, given) => {
        const { repetitionPenalty: _, ...others } = given;
        const found = apply(new Array(VOCABULARY).fill(1), context, others);
        const dense =
          (given.sequenceBias ?? []).length > 0 ||
          (given.encoderRepetitionPenalty ?? 1) !== 1 ||
          given.encoderNoRepeatNgramSize !== undefined ||
          given.forcedBosToken !== undefined ||
          given.forcedEosToken !== undefined ||
          given.exponentialDecayLengthPenalty !== undefined ||
          (given.beginSuppressTokens ?? []).length > 0;
        expect(areSparse(given)).toBe(!dense);
        if (dense) return;
        const none = found.flatMap((score, one) => (score === NONE ? [one] : []));
        expect([...forbidden(context, given)].sort()).toEqual(none);
        expect(found.every((score) => score === 1 || score === NONE)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    const some = { suppressTokens: [1] };
    expect(areSparse(some)).toBe(true);
    expect(areSparse({ ...some, processors: [() => undefined] })).toBe(false);
    expect(areSparse({ ...some, prefixAllowedTokens: () => [] })).toBe(false);
    expect([areSparse({ ...some, renormalizeLogits: true }), areSparse({ renormalizeLogits: false })]).toEqual([
      false,
      true,
    ]);
  });

  it('are said to be there if one can change logits', () => {
    const off: LogitsRules[] = [
      {},
      { sequenceBias: [], badWords: [], suppressTokens: [], beginSuppressTokens: [], forcedPrefix: [], processors: [] },
      { encoderRepetitionPenalty: 1, repetitionPenalty: 1, minNewTokens: 0, forcedEosToken: [] },
      { renormalizeLogits: true }, // of a beam search alone
    ];
    for (const one of off) expect([one, hasRules(one)]).toEqual([one, false]);
    const on: LogitsRules[] = [
      { sequenceBias: [[[1], 1]] },
      { badWords: [[1]] },
      { suppressTokens: [1] },
      { beginSuppressTokens: [1] },
      { forcedPrefix: [1] },
      { processors: [() => undefined] },
      { prefixAllowedTokens: () => [1] },
      { encoderRepetitionPenalty: 2 },
      { repetitionPenalty: 0.5 },
      { minNewTokens: 1 },
      { forcedEosToken: 0 },
      { forcedEosToken: [0] },
      { forcedBosToken: 0 },
      { noRepeatNgramSize: 1 },
      { encoderNoRepeatNgramSize: 1 },
      { exponentialDecayLengthPenalty: [3, 2] },
    ];
    for (const one of on) expect([one, hasRules(one)]).toEqual([one, true]);
  });

  it('leave of the vocabulary what a function allows; where the others forbid all of that, it is as likely, but in a beam', () => {
    const row = [5, 4, 3, 2, 1, 0, -1];
    const context = { ids: [0, 4], eosTokens: [1] };
    const seen: (readonly number[])[] = [];
    const allow = (list: readonly number[]) => (before: readonly number[]) => {
      seen.push(before);
      return list;
    };
    const only = (list: readonly number[], given: LogitsRules = {}, isBeam = false) =>
      apply(row, { ...context, isBeam }, { ...given, prefixAllowedTokens: allow(list) });
    expect(only([6, 2])).toEqual([NONE, NONE, 3, NONE, NONE, NONE, -1]);
    expect(seen).toEqual([[0, 4]]);
    expect(only([])).toEqual(new Array(VOCABULARY).fill(NONE));
    expect(only([2, 3], { badWords: [[2]] })).toEqual([NONE, NONE, NONE, 2, NONE, NONE, NONE]);
    expect(only([2, 3], { badWords: [[2], [3]] })).toEqual([NONE, NONE, 0, 0, NONE, NONE, NONE]);
    expect(only([2, 3], { badWords: [[2], [3]] }, true)).toEqual(new Array(VOCABULARY).fill(NONE));
    for (const wrong of [-1, VOCABULARY, 0.5, Number.NaN, '1' as unknown as number]) {
      expect(() => only([0, wrong])).toThrow(expect.objectContaining({ code: 'processor-invalid' }));
      expect(() => only([wrong])).toThrow(/^prefixAllowedTokens: expected ids from 0 to 6 at position 2, found/);
    }
  });

  it('that the caller wrote give as many logits below infinity as the vocabulary has, or are refused with their number', () => {
    const context = { ids: [0, 4], eosTokens: [1] };
    const run = (...processors: LogitsRules['processors'] & object) => apply([0, 0, 0], context, { processors });
    expect(
      run(
        (_, row) => row.fill(2),
        (_, row) => row.map((score) => score + 1),
      ),
    ).toEqual([3, 3, 3]);
    expect(run(() => new Float64Array([NONE, 1, 2]))).toEqual([NONE, 1, 2]);
    const wrong: readonly unknown[] = [
      [0, 0],
      [0, 0, 0, 0],
      [0, Number.NaN, 0],
      [0, 0, Infinity],
      'abc',
      5,
      {},
      { length: 3 },
    ];
    for (const returned of wrong) {
      expect(() => run(() => undefined, (() => returned) as () => void)).toThrow(
        /^processors\[1\]: expected 3 logits below infinity at position 2, found /,
      );
    }
  });

  it('that force a prefix decide the ids one after another', () => {
    const forced = (before: number[], forcedPrefix?: number[]) =>
      forcedToken({ ids: before, eosTokens: [1] }, { forcedPrefix });
    expect([
      forced([0], [4, 5]),
      forced([0, 4], [4, 5]),
      forced([0, 4, 5], [4, 5]),
      forced([0], []),
      forced([0]),
    ]).toEqual([4, 5, undefined, undefined, undefined]);
  });
});
