import type { Dtype } from '../../kernels';
import type { Candidate } from './candidates';
import type { DraftFigures } from './measure';

/** A draft with its figures. */
export interface Tried extends DraftFigures {
  readonly candidate: Candidate;
}

/** A type of the target's weights, and the drafts that were tried beside it. */
export interface TriedType {
  /** What was asked for; undefined for the type that is stored. */
  readonly asked: Dtype | undefined;
  /** The type that it is. */
  readonly dtype: Dtype;
  /** Tokens a second without a draft. */
  readonly plain: number;
  /** v(1), v(2), …: what target calls of so many rows cost. They are measured once, so that all drafts are judged by the same. */
  readonly v: readonly number[];
  readonly tried: readonly Tried[];
  /** Names of drafts that this type cannot have. */
  readonly leftOut: readonly string[];
}

/** The fastest of what was timed. */
export interface Choice {
  readonly type: TriedType;
  /** Null: no draft is faster than none. */
  readonly draft: Candidate | null;
  readonly gamma: number;
  /** Over the same type without a draft. */
  readonly speedup: number;
  /** As it was timed: the table's row has the same number. */
  readonly tokensPerSecond: number;
}

/**
 * The fastest setting. Within a type it is the largest measured speed-up above 1, because speeds of one draft were timed in turns
 * and speeds of two drafts were not. Between types it is the larger speed of what was chosen in each.
 */
export function choose(types: readonly TriedType[]): Choice {
  const [first, ...others] = types.map(bestOfType);
  return others.reduce((best, one) => (one.tokensPerSecond > best.tokensPerSecond ? one : best), first);
}

function bestOfType(type: TriedType): Choice {
  let best: Choice = { type, draft: null, gamma: 0, speedup: 1, tokensPerSecond: type.plain };
  for (const { candidate, points } of type.tried) {
    for (const { gamma, measured: speedup, tokensPerSecond } of points) {
      if (speedup > best.speedup) best = { type, draft: candidate, gamma, speedup, tokensPerSecond };
    }
  }
  return best;
}
