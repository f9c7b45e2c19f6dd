import type { Dtype } from '../../kernels';
import type { Candidate } from './candidates';
import type { DraftFigures, Point } from './measure';

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
  readonly tokensPerSecond: number;
}

/**
 * The fastest setting. Within a type it is the largest measured speed-up above 1, because speeds of one draft were timed in turns
 * and speeds of two drafts were not. Between types it is the speed without a draft times that speed-up.
 */
export function choose(types: readonly TriedType[]): Choice {
  const [first, ...others] = types.map(bestOfType);
  return others.reduce((best, one) => (one.tokensPerSecond > best.tokensPerSecond ? one : best), first);
}

function bestOfType(type: TriedType): Choice {
  let best: { candidate: Candidate | null; point: Pick<Point, 'gamma' | 'measured'> } = {
    candidate: null,
    point: { gamma: 0, measured: 1 },
  };
  for (const { candidate, points } of type.tried) {
    for (const point of points) if (point.measured > best.point.measured) best = { candidate, point };
  }
  const { gamma, measured: speedup } = best.point;
  return { type, draft: best.candidate, gamma, speedup, tokensPerSecond: type.plain * speedup };
}
