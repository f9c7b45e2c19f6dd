import fc from 'fast-check';
import { logSumExp } from '../../../decoding/sampling/log-sum-exp';

const value = fc.double({ min: -30, max: 30, noNaN: true });
const list = fc.array(value, { minLength: 1, maxLength: 20 });
const inverse = fc.double({ min: 0.1, max: 3, noNaN: true });

describe('log Σ exp', () => {
  it('is the logarithm of the sum of e to each value, to 1e-12 of what is added up', () => {
    fc.assert(
      fc.property(list, inverse, (values, inverseTemperature) => {
        const sum = values.reduce((total, one) => total + Math.exp(one * inverseTemperature), 0);
        const [found, wanted] = [logSumExp(values, inverseTemperature), Math.log(sum)];
        expect(Math.abs(found - wanted)).toBeLessThan(1e-12 * (1 + Math.abs(wanted)));
        expect(logSumExp(values)).toBe(logSumExp(values, 1));
      }),
    );
  });

  it('grows by what all values grow by, where their powers have no number', () => {
    fc.assert(
      fc.property(list, fc.constantFrom(-1e5, 1e5), (values, shift) => {
        const found = logSumExp(values.map((one) => one + shift)) - shift;
        expect(Math.abs(found - logSumExp(values))).toBeLessThan(1e-8);
      }),
    );
  });

  it('passes over values of −∞, and is −∞ where every value is', () => {
    fc.assert(
      fc.property(list, inverse, (values, inverseTemperature) => {
        const more = [Number.NEGATIVE_INFINITY, ...values, Number.NEGATIVE_INFINITY];
        expect(logSumExp(more, inverseTemperature)).toBe(logSumExp(values, inverseTemperature));
      }),
    );
    for (const none of [[], [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]]) {
      expect(logSumExp(none)).toBe(Number.NEGATIVE_INFINITY);
    }
  });
});
