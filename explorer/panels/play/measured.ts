import { type CostTable, theory } from '../../../decoding';
import type { Run } from '../../page/run';

/** What was measured of a setting: the pair's costs, and a run with the draft and one without. */
export interface Measured {
  readonly costs: CostTable;
  readonly drafted: Run;
  readonly alone: Run;
}

/** v(k): a target call of k rows, in calls of one; beyond the table it grows by the table's last step. */
export function rowCost({ v }: CostTable, rows: number): number {
  if (rows <= v.length) return v[rows - 1] ?? 1;
  const last = v[v.length - 1] ?? 1;
  const step = v.length > 1 ? Math.max(0, last - v[v.length - 2]) : 0;
  return last + step * (rows - v.length);
}

/** Speed-up over decoding without a draft, as theorem 3.8 predicts it with v beside it. */
export function predicted(alpha: number, gamma: number, costs: CostTable): number {
  if (gamma === 0) return 1;
  return theory.predictedSpeedup({ alpha, gamma, c: costs.c, v: rowCost(costs, gamma + 1) });
}

export interface Summary {
  readonly alpha: number;
  /** Tokens a target call. */
  readonly tokens: number;
  readonly speedup: number;
}

/** The figures of two finished runs; null while one is under way. */
export function summaryOf({ drafted, alone }: Measured): Summary | null {
  if (drafted.finished === null || alone.finished === null) return null;
  const perToken = ({ milliseconds, result }: NonNullable<Run['finished']>) => milliseconds / result.ids.length;
  const { metrics } = drafted.finished.result;
  return {
    alpha: metrics.acceptanceRate,
    tokens: metrics.tokensPerTargetCall,
    speedup: perToken(alone.finished) / perToken(drafted.finished),
  };
}
