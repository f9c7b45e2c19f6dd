import fc from 'fast-check';
import { bestGamma, expectedOperations, expectedTokens, predictedSpeedup } from '../../../decoding/gamma/theory';

const rate = fc.double({ min: 0, max: 0.999, noNaN: true });
const gammas = fc.integer({ min: 0, max: 20 });
const cost = fc.double({ min: 0, max: 2, noNaN: true });

describe('the formulas', () => {
  it('expected tokens is Σ αⁱ for i = 0 … γ (relative 1e-9), and γ + 1 at α = 1', () => {
    fc.assert(
      fc.property(rate, gammas, (alpha, gamma) => {
        let sum = 0;
        for (let i = 0; i <= gamma; i++) sum += alpha ** i;
        expect(Math.abs(expectedTokens(alpha, gamma) / sum - 1)).toBeLessThan(1e-9);
        expect(expectedTokens(1, gamma)).toBe(gamma + 1);
      }),
    );
  });

  it('predicted speed-up × time of a round in one-row target calls = tokens a round (relative 1e-12); v is 1 where it is left out', () => {
    fc.assert(
      fc.property(rate, gammas, cost, fc.double({ min: 0.5, max: 4, noNaN: true }), (alpha, gamma, c, v) => {
        const product = predictedSpeedup({ alpha, gamma, c, v }) * (gamma * c + v);
        expect(Math.abs(product / expectedTokens(alpha, gamma) - 1)).toBeLessThan(1e-12);
        expect(predictedSpeedup({ alpha, gamma, c })).toBe(predictedSpeedup({ alpha, gamma, c, v: 1 }));
      }),
    );
  });

  it('operations × tokens a round = γĉ + γ + 1 (relative 1e-12)', () => {
    fc.assert(
      fc.property(rate, gammas, cost, (alpha, gamma, ratio) => {
        const product = expectedOperations(alpha, gamma, ratio) * expectedTokens(alpha, gamma);
        expect(Math.abs(product / (gamma * ratio + gamma + 1) - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  it('the best γ predicts no less than any other, and never less than plain decoding', () => {
    const slope = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(rate, cost, slope, gammas, (alpha, c, slope, other) => {
        const v = (rows: number) => 1 + slope * (rows - 1);
        const speed = (gamma: number) => predictedSpeedup({ alpha, gamma, c, v: v(gamma + 1) });
        const best = bestGamma(alpha, { c, v });
        expect(speed(best)).toBeGreaterThanOrEqual(speed(other));
        expect(speed(best)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('with free verification the best γ is above 0 exactly when α > c, and then gains (1 + α) / (1 + c) (corollary 3.9)', () => {
    let speculative = 0;
    fc.assert(
      fc.property(rate, cost, (alpha, c) => {
        fc.pre(Math.abs(alpha - c) > 1e-6);
        const gamma = bestGamma(alpha, { c });
        expect(gamma > 0).toBe(alpha > c);
        if (gamma > 0) {
          speculative++;
          expect(predictedSpeedup({ alpha, gamma, c })).toBeGreaterThanOrEqual((1 + alpha) / (1 + c) - 1e-12);
        }
      }),
    );
    expect(speculative).toBeGreaterThan(5);
  });
});
