import type { Run } from '../../page/run';
import type { MeasuredCosts } from '../../protocol';

/** What was measured of a setting: the pair's costs, and a run with the draft and one without. */
export interface Measured {
  readonly costs: MeasuredCosts;
  readonly drafted: Run;
  readonly alone: Run;
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
