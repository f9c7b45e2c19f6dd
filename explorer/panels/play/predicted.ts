import { type CostTable, rowCost, theory } from '../../../decoding';

/** Speed-up over decoding without a draft, as theorem 3.8 predicts it with v beside it. */
export function predicted(alpha: number, gamma: number, costs: CostTable): number {
  if (gamma === 0) return 1;
  return theory.predictedSpeedup({ alpha, gamma, c: costs.c, v: rowCost(costs, gamma + 1) });
}
