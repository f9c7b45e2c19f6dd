import { type Beam, type FinishedBeam, select } from '../../../decoding/beam/selection';
import type { BeamRules } from '../../../decoding/beam/settings';

const RULES: BeamRules = {
  numBeams: 2,
  lengthPenalty: 1,
  earlyStopping: false,
  maxNewTokens: 10,
  numReturnSequences: 2,
  eosTokens: [8, 9],
  source: [],
  processing: {},
};

/** Log-probabilities by token. */
const list = (entries: Record<number, number>) =>
  Object.entries(entries).map(([token, logProb]) => ({ token: Number(token), logProb }));
const beams: Beam[] = [
  { ids: [0, 3], logProb: -1 },
  { ids: [0, 4], logProb: -2 },
];
const two: FinishedBeam[] = [
  { ids: [8], score: -0.5 },
  { ids: [9], score: -1.5 },
];

describe('one step of beam search', () => {
  it('goes on with as many hypotheses as before even when all of them end in every EOS first', () => {
    const greedyForEos = list({ 8: -0.1, 9: -0.2, 5: -3, 6: -4 });
    const { running } = select(beams, [greedyForEos, greedyForEos], [], RULES);
    expect(running).toEqual([
      { parent: 0, token: 5, logProb: -4 },
      { parent: 0, token: 6, logProb: -5 }, // of equals, the one of the better hypothesis
    ]);
  });

  it('finishes what ends within the first candidates only, its length counting the EOS', () => {
    const { finished } = select(beams, [list({ 8: -1, 5: -1.5, 9: -2 }), list({ 8: -0.8, 5: -3 })], [], RULES);
    expect(finished).toEqual([{ ids: [3, 8], score: -1 }]); // sums: [3, 8] −2, [3, 5] −2.5; [4, 8] at −2.8 is the third
  });

  it('finishes everything at the length limit, EOS or not', () => {
    const step = select(beams, [list({ 5: -1, 8: -3 }), list({ 6: -1 })], [], { ...RULES, maxNewTokens: 2 });
    const finished = [
      { ids: [3, 5], score: -1 },
      { ids: [4, 6], score: -1.5 },
    ];
    expect(step).toEqual({ running: [], finished, done: true });
  });

  it('keeps the best of what has finished, of equals what finished first', () => {
    const lists = [list({ 8: -0.5, 5: -1 }), list({ 9: -1 })]; // [3, 8] at −1.5 / 2, [4, 9] at −3 / 2
    const before = [
      { ids: [9], score: -0.75 },
      { ids: [8], score: -2 },
    ];
    const { finished } = select(beams, lists, before, { ...RULES, numBeams: 3 });
    expect(finished.map(({ ids }) => ids)).toEqual([[9], [3, 8], [4, 9]]);
  });

  // The best running hypothesis has −6 after two tokens: −3 a token now, −0.6 at ten, and with a penalty of −1 −12 or −60.
  it.each([
    { earlyStopping: true, lengthPenalty: 1, worst: -9, done: true },
    { earlyStopping: false, lengthPenalty: 1, worst: -2.9, done: true },
    { earlyStopping: false, lengthPenalty: 1, worst: -3, done: true },
    { earlyStopping: false, lengthPenalty: 1, worst: -3.1, done: false },
    { earlyStopping: 'never', lengthPenalty: 1, worst: -0.5, done: true },
    { earlyStopping: 'never', lengthPenalty: 1, worst: -0.7, done: false },
    { earlyStopping: false, lengthPenalty: -1, worst: -13, done: false },
    { earlyStopping: 'never', lengthPenalty: -1, worst: -13, done: false },
    { earlyStopping: 'never', lengthPenalty: -1, worst: -11, done: true },
    { earlyStopping: 'never', lengthPenalty: 0, worst: -6.1, done: false },
    { earlyStopping: 'never', lengthPenalty: 0, worst: -5.9, done: true },
  ] as const)(
    'with earlyStopping $earlyStopping, length penalty $lengthPenalty and $worst for the worst finished: done $done',
    ({ earlyStopping, lengthPenalty, worst, done }) => {
      const finished = [two[0], { ids: [9], score: worst }];
      const lists = [list({ 5: -5 }), list({ 5: -5 })];
      expect(select(beams, lists, finished, { ...RULES, earlyStopping, lengthPenalty }).done).toBe(done);
      // However well it is doing, nothing ends the search while fewer than `beams` have finished, and something goes on.
      const early = select(beams, lists, [finished[1]], { ...RULES, earlyStopping, lengthPenalty });
      expect(early.done).toBe(false);
    },
  );

  it.each([-2, 0, 1, 3])(
    'with one beam is done as soon as one has finished, with a length penalty of %i',
    (lengthPenalty) => {
      for (const earlyStopping of [true, false, 'never'] as const) {
        const one = { ...RULES, numBeams: 1, earlyStopping, lengthPenalty };
        const lists = [list({ 5: -0.1 })]; // better than what has finished, now and at any length
        expect(select(beams.slice(0, 1), lists, [{ ids: [9], score: -99 }], one).done).toBe(true);
        expect(select(beams.slice(0, 1), lists, [], one).done).toBe(false);
      }
    },
  );

  it('is done when nothing can go on', () => {
    const { running, finished, done } = select(beams, [list({ 8: -1 }), []], [], RULES);
    expect({ running, finished, done }).toEqual({ running: [], finished: [{ ids: [3, 8], score: -1 }], done: true });
  });
});
