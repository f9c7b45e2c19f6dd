import fc from 'fast-check';
import { Confidence } from '../../../decoding/gamma/confidence';

/** The classes of probabilities, by their ends. */
const ENDS = [0, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 1];
const probability = fc.double({ min: 0, max: 1, noNaN: true });
const classOf = (value: number) => ENDS.findIndex((end, i) => i > 0 && (value < end || end === 1));

describe('what a draft’s confidence is worth', () => {
  it('begins between a quarter and 0.98, rises with the probability, and is below 1', () => {
    const found = new Confidence();
    for (const [i, end] of ENDS.slice(1).entries()) {
      const middle = (ENDS[i] + end) / 2;
      expect(found.share(middle)).toBeCloseTo(0.25 + 0.73 * middle, 12);
    }
  });

  it('is one number for a class: from its lower end on, and below its upper end', () => {
    fc.assert(
      fc.property(probability, probability, fc.array(fc.tuple(probability, fc.boolean())), (a, b, judged) => {
        const found = new Confidence();
        for (const [value, isAccepted] of judged) found.judge(value, isAccepted);
        if (classOf(a) === classOf(b)) expect(found.share(a)).toBe(found.share(b));
      }),
    );
    const found = new Confidence();
    for (const end of ENDS.slice(1, -1)) expect(found.share(end)).toBeGreaterThan(found.share(end - 1e-9));
    expect(found.share(1)).toBe(found.share(0.995));
  });

  it('is the mean of what was judged, each token at 0.99 of the weight of the next, and four tokens before the first', () => {
    fc.assert(
      fc.property(probability, fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (value, judged) => {
        const found = new Confidence();
        const prior = found.share(value);
        const other = value < 0.5 ? 0.9 : 0.1;
        const before = found.share(other);
        for (const isAccepted of judged) found.judge(value, isAccepted);
        const weights = judged.map((_, i) => 0.99 ** (judged.length - 1 - i));
        const first = 4 * 0.99 ** judged.length;
        const accepted = judged.reduce((sum, isAccepted, i) => sum + (isAccepted ? weights[i] : 0), prior * first);
        expect(found.share(value)).toBeCloseTo(accepted / weights.reduce((sum, weight) => sum + weight, first), 9);
        expect(found.share(other)).toBe(before); // another class learns nothing
      }),
    );
  });
});
