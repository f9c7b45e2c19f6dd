import type { DraftStopping } from '../drafters/drafter';
import type { WayCosts } from './learnt';
import { bestGamma, judgedTokens } from './theory';

/** What proposing and verifying cost, in one-row target calls. It is measured once and then fixed: a clock never chooses γ. */
export interface CostTable {
  /** One draft step. */
  readonly c: number;
  /** v[k − 1]: a target call of k rows; v[0] is 1. Beyond the end of the list v grows by the list's last step. */
  readonly v: readonly number[];
}

/** What a choice of γ may look at beside finished rounds. */
export interface RoundState {
  /** Sequences in the round. Default 1. */
  readonly streams?: number;
  /** Whether the sequence's draft has been opened. Default true. */
  readonly isOpen?: boolean;
  /** Tokens that may still come out. Default: no limit. */
  readonly left?: number;
}

/** Chooses γ round by round. */
export interface GammaChooser {
  /** γ, where it is the same in every round. */
  readonly fixed: number | null;
  /** Where γ follows learnt costs: what learns them. */
  readonly costs?: WayCosts;
  /** Whether the draft has not seen what the last rounds brought, because it did not propose in them. */
  readonly isCatchingUp?: boolean;
  /** How a proposal ends whose draft tells how sure it is of its tokens; left out where γ alone decides. */
  readonly stopping?: DraftStopping;
  /** How many tokens to propose next, from 0 to the largest allowed. */
  next(state?: RoundState): number;
  /** Says how a round ended. */
  finished(proposed: number, accepted: number): void;
}

/** The same γ in every round. */
export function fixedGamma(gamma: number): GammaChooser {
  return { fixed: gamma, next: () => gamma, finished: () => undefined };
}

/** The γ of a list, round by round; 0 after its end. */
export function listedGamma(gammas: readonly number[]): GammaChooser {
  let round = 0;
  return { fixed: null, next: () => gammas[round++] ?? 0, finished: () => undefined };
}

/** α assumed before the draft has proposed anything, and the number of judged tokens that this assumption counts for. */
const PRIOR = { alpha: 0.6, weight: 2 };
/** The weight of a judged token falls by this factor each round, so that about the last 20 rounds count. */
const MEMORY = 0.95;

/**
 * The γ that maximises the predicted speed-up (1 − α^(γ+1)) / (1 − α) / (γc + v(γ+1)), 0 included. α is estimated from finished
 * rounds: of the tokens up to and including each round's first rejection, the share that was accepted. When no γ above 0 pays,
 * one token is still proposed now and then. The gaps between such tries double while they are rejected: a draft that never
 * agrees costs log₂ n tries in n tokens, and a draft that gets better is noticed.
 *
 * γ depends on the cost table and on accepted counts alone, so a seed still fixes the text.
 */
export function adaptiveGamma(costs: CostTable, largest: number): GammaChooser {
  let accepted = PRIOR.alpha * PRIOR.weight;
  let judged = PRIOR.weight;
  let gap = 1;
  let idle = 0;
  const v = (rows: number) => rowCost(costs, rows);
  return {
    fixed: null,
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
      gap = kept === 0 ? gap * 2 : 1;
      idle = 0;
      accepted = accepted * MEMORY + kept;
      judged = judged * MEMORY + judgedTokens(proposed, kept);
    },
  };
}

/** v(rows); beyond the table it grows by the table's last step. */
export function rowCost({ v }: CostTable, rows: number): number {
  if (v.length === 0) return 1;
  if (rows <= v.length) return v[rows - 1];
  const step = v.length > 1 ? v[v.length - 1] - v[v.length - 2] : 0;
  return v[v.length - 1] + Math.max(0, step) * (rows - v.length);
}
