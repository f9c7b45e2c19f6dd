import { bestGamma } from './theory';

/** What proposing and verifying cost here, in one-row target calls. Measured once, then frozen: a clock never chooses γ. */
export interface CostTable {
  /** One draft step. */
  readonly c: number;
  /** v[k − 1]: a target call of k rows; v[0] is 1. Beyond its end the last step goes on. */
  readonly v: readonly number[];
}

/** Chooses γ round by round. */
export interface GammaChooser {
  /** Draft tokens to propose next, 0 … the largest allowed. */
  next(): number;
  /** Told how a round went. */
  finished(proposed: number, accepted: number): void;
}

/** Always the same γ. */
export function fixedGamma(gamma: number): GammaChooser {
  return { next: () => gamma, finished: () => undefined };
}

/** Believed of a draft before it has proposed anything, and how many judged tokens that belief counts for. */
const PRIOR = { alpha: 0.6, weight: 2 };
/** What a judged token still counts for a round later: about the last 20 rounds matter. */
const MEMORY = 0.95;

/**
 * The γ that maximises the predicted speed-up (1 − α^(γ+1)) / (1 − α) / (γc + v(γ+1)) under a running α, 0 included. α is what
 * finished rounds say: of the tokens up to and including each round's first rejection, the accepted share. When no proposal
 * pays, one token is still tried now and then, at gaps that double while it is refused: a draft that never agrees costs
 * log₂ n tries in n tokens, and one that gets better is found out.
 *
 * Depends on the cost table and on accepted counts alone, so a seed still fixes the text.
 */
export function adaptiveGamma(costs: CostTable, largest: number): GammaChooser {
  let accepted = PRIOR.alpha * PRIOR.weight;
  let judged = PRIOR.weight;
  let gap = 1;
  let idle = 0;
  const v = (rows: number) => rowCost(costs, rows);
  return {
    next: () => {
      const gamma = bestGamma(Math.min(accepted / judged, 1), { c: costs.c, v }, largest);
      if (gamma > 0) return gamma;
      return idle >= gap ? Math.min(1, largest) : 0;
    },
    finished: (proposed, kept) => {
      if (proposed === 0) {
        idle++;
        return;
      }
      const rejected = kept < proposed ? 1 : 0;
      gap = rejected === 1 && kept === 0 ? gap * 2 : 1;
      idle = 0;
      accepted = accepted * MEMORY + kept;
      judged = judged * MEMORY + kept + rejected;
    },
  };
}

/** v(rows), continued beyond the table by its last step. */
export function rowCost({ v }: CostTable, rows: number): number {
  if (v.length === 0) return 1;
  if (rows <= v.length) return v[rows - 1];
  const step = v.length > 1 ? v[v.length - 1] - v[v.length - 2] : 0;
  return v[v.length - 1] + Math.max(0, step) * (rows - v.length);
}
