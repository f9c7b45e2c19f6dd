import type { CostTable } from './adaptive';
import { monotone } from './curve';

/** Costs, and v as it was measured. */
export interface SmoothedCosts extends CostTable {
  /** [v.length], in the same unit as v. */
  readonly measured: readonly number[];
}

/**
 * Costs with a v that does not fall: a call of more rows is not cheaper, but on a busy machine it may be measured so. The nearest such
 * curve by least squares is taken, as gamma 'auto' takes it (curve.ts). The unit is its cost of one row.
 */
export function smoothed({ c, v }: CostTable): SmoothedCosts {
  const curve = monotone(v.map((cost, i) => [i + 1, cost] as const)).map(([, cost]) => cost);
  const inUnit = (cost: number) => cost / curve[0];
  return { c: inUnit(c), v: curve.map(inUnit), measured: v.map(inUnit) };
}
