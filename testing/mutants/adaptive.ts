import { adaptiveGamma, type CostTable, type GammaChooser, rowCost, theory } from '../../decoding';
import type { Family, Finding } from './family';

const COSTS: CostTable = { c: 0.2, v: [1, 1.05, 1.1, 1.15, 1.2] };
const LARGEST = 16;
const TOKENS = 128;

/** Cost of decoding with a draft that never agrees / cost of decoding as many tokens without one, by the cost table. */
function cost(chooser: GammaChooser, tokens: number): number {
  let sum = 0;
  for (let done = 0; done < tokens; done++) {
    const gamma = Math.min(chooser.next(), tokens - done - 1);
    sum += gamma * COSTS.c + rowCost(COSTS, gamma + 1);
    chooser.finished(gamma, 0);
  }
  return sum / tokens;
}

/** The cost of one text with a draft that never agrees. */
function costly(chooser: GammaChooser, tokens: number): Finding {
  const value = cost(chooser, tokens);
  return { value, example: `${tokens} tokens cost ${value.toFixed(2)} times as much as without the draft` };
}

/** Adaptive γ with one error: `idle` rounds without a try, after `tries` rejected ones. */
function adaptive(alpha: (tries: number) => number, mayTry: (idle: number, tries: number) => number): GammaChooser {
  let [tries, idle] = [0, 0];
  return {
    fixed: null,
    next: () =>
      theory.bestGamma(alpha(tries), { c: COSTS.c, v: (rows) => rowCost(COSTS, rows) }, LARGEST) || mayTry(idle, tries),
    finished: (proposed) => {
      tries += proposed > 0 ? 1 : 0;
      idle = proposed > 0 ? 0 : idle + 1;
    },
  };
}

const running = (tries: number) => 1.2 / (2 + tries);

export const OVERHEAD: Family = {
  check: `cost of a useless draft, ${TOKENS} tokens`,
  unit: 'of autoregressive',
  limit: 1.05,
  caught: 1.05,
  shipped: async () => cost(adaptiveGamma(COSTS, LARGEST), TOKENS),
  mutants: [
    {
      name: 'adaptive γ that never goes below 1',
      measure: async () =>
        costly(
          adaptive(running, () => 1),
          TOKENS,
        ),
    },
    {
      name: 'adaptive γ that tries again every other round',
      measure: async () =>
        costly(
          adaptive(running, (idle) => (idle >= 1 ? 1 : 0)),
          TOKENS,
        ),
    },
    {
      name: 'adaptive γ that never believes what it saw',
      measure: async () =>
        costly(
          adaptive(
            () => 0.6,
            () => 0,
          ),
          TOKENS,
        ),
    },
  ],
};
