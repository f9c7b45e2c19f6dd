import { figuresOf, type MeasureJob, measurePaper } from '../../../cli/paper/measure';
import type { Tally } from '../../../decoding';

const PLAIN: Tally = {
  newTokens: 10,
  rounds: 10,
  targetCalls: 10,
  draftCalls: 0,
  proposed: 0,
  proposedDepth: 0,
  accepted: 0,
  acceptanceSum: 0,
  acceptancePositions: 0,
  seconds: 10,
  targetSeconds: 10,
  draftSeconds: 0,
};
const DRAFTED: Tally = {
  newTokens: 10,
  rounds: 3,
  targetCalls: 3,
  draftCalls: 9,
  proposed: 9,
  proposedDepth: 9,
  accepted: 7,
  acceptanceSum: 8,
  acceptancePositions: 10,
  seconds: 5,
  targetSeconds: 4.5,
  draftSeconds: 0.9,
};

describe('figures of a way of decoding', () => {
  it('are α, c, v, theorem 3.8 with v = 1 and with v, and time a token without the draft over that with it', () => {
    const figures = figuresOf({ tallies: [DRAFTED], settings: { temperature: 0, gamma: 3 } }, { tallies: [PLAIN] });
    const tokens = 1 + 0.8 + 0.8 ** 2 + 0.8 ** 3; // a round, expected
    expect(figures.alpha).toBeCloseTo(0.8, 12);
    expect(figures.c).toBeCloseTo(0.1, 12);
    expect(figures.v).toBeCloseTo(1.5, 12);
    expect(figures.theory).toBeCloseTo(tokens / (3 * 0.1 + 1), 12);
    expect(figures.predicted).toBeCloseTo(tokens / (3 * 0.1 + 1.5), 12);
    expect(figures.measured).toBeCloseTo(2, 12);
  });

  it('are those of all passages together', () => {
    const settings = { temperature: 0, gamma: 3 } as const;
    const one = figuresOf({ tallies: [DRAFTED], settings }, { tallies: [PLAIN] });
    const three = figuresOf({ tallies: [DRAFTED, DRAFTED, DRAFTED], settings }, { tallies: [PLAIN, PLAIN, PLAIN] });
    for (const name of ['alpha', 'c', 'v', 'theory', 'predicted', 'measured'] as const) {
      expect(three[name]).toBeCloseTo(one[name] as number, 12);
    }
  });

  it('without a draft that is a model have no c, v and prediction', () => {
    const free = { ...DRAFTED, draftCalls: 0, draftSeconds: 0 };
    const figures = figuresOf({ tallies: [free], settings: { temperature: 1, gamma: 3 } }, { tallies: [PLAIN] });
    expect(figures).toMatchObject({ c: null, v: null, theory: null, predicted: null, measured: 2 });
  });
});

test('the paper’s measurement asks for a tokenizer before it decodes anything', async () => {
  const encode = jest.fn();
  const job = { parts: { tokenizer: null }, texts: ['a'], encode, signal: new AbortController().signal };
  await expect(measurePaper(job as unknown as MeasureJob)).rejects.toMatchObject({
    code: 'tokenizer-invalid',
    message: 'paper: expected a tokenizer with the target, found none',
  });
  expect(encode).not.toHaveBeenCalled();
});
