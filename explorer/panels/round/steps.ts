import type { ShownRound } from '../../protocol';

/** A step inside a round, in the order of Algorithm 1. */
export type Step =
  | { readonly kind: 'propose'; readonly i: number }
  | { readonly kind: 'score' }
  | { readonly kind: 'accept'; readonly i: number }
  | { readonly kind: 'block' }
  | { readonly kind: 'adjust' }
  | { readonly kind: 'draw' }
  | { readonly kind: 'caches' };

/** A tree is proposed, scored and judged as a whole. */
const TREE_STEPS: readonly Step[] = [{ kind: 'score' }, { kind: 'block' }, { kind: 'draw' }, { kind: 'caches' }];

/** The steps of a round: what did not happen has none. */
export function stepsOf(round: ShownRound, verification: string): Step[] {
  const { proposals, accepted, next, tree } = round;
  if (tree !== null) return [{ kind: 'propose', i: 0 }, ...TREE_STEPS];
  const judged = Math.min(accepted + 1, proposals.length);
  const each = (kind: 'propose' | 'accept', count: number): Step[] =>
    Array.from({ length: count }, (_, i) => ({ kind, i }));
  const verdicts: Step[] =
    verification === 'block' && proposals.length > 0 ? [{ kind: 'block' }] : each('accept', judged);
  return [
    ...each('propose', proposals.length),
    { kind: 'score' },
    ...verdicts,
    ...(next.kind === 'corrected' && verification !== 'coupled' ? [{ kind: 'adjust' } as const] : []),
    { kind: 'draw' },
    { kind: 'caches' },
  ];
}

/** What of a position is known after a step. */
export interface Known {
  readonly proposed: boolean;
  readonly scored: boolean;
  readonly judged: boolean;
  /** Whether the step is about this position. */
  readonly current: boolean;
}

export function knownAt(round: ShownRound, steps: readonly Step[], now: number, i: number): Known {
  const before = steps.slice(0, now + 1);
  const step = steps[now];
  const isLast = i === round.accepted;
  return {
    proposed: before.some((one) => one.kind === 'propose' && one.i === i),
    scored: before.some(({ kind }) => kind === 'score'),
    judged: before.some((one) => (one.kind === 'accept' && one.i === i) || one.kind === 'block'),
    current:
      'i' in step ? step.i === i : step.kind === 'score' || step.kind === 'block' || (isLast && step.kind !== 'caches'),
  };
}

/** Algorithm 1 of Leviathan, Kalman and Matias 2023, SpeculativeDecodingStep: p is the target, q the draft. */
export const ALGORITHM = [
  ['guess', '▷ Sample γ guesses x₁ … x_γ from M_q autoregressively.'],
  ['propose', 'for i = 1 to γ do'],
  ['propose', '   q_i(x) ← M_q(prefix + [x₁ … x_{i−1}])'],
  ['propose', '   x_i ∼ q_i(x)'],
  ['guess', '▷ Run M_p in parallel.'],
  ['score', 'p₁(x) … p_{γ+1}(x) ← M_p(prefix) … M_p(prefix + [x₁ … x_γ])'],
  ['guess', '▷ Determine the number of accepted guesses n.'],
  ['accept', 'r₁ ∼ U(0, 1) … r_γ ∼ U(0, 1)'],
  ['accept', 'n ← min({ i − 1 | 1 ≤ i ≤ γ, r_i > p_i(x) / q_i(x) } ∪ { γ })'],
  ['guess', '▷ Adjust the distribution from M_p if needed.'],
  ['adjust', 'p′(x) ← p_{n+1}(x)'],
  ['adjust', 'if n < γ then p′(x) ← norm(max(0, p_{n+1}(x) − q_{n+1}(x)))'],
  ['guess', '▷ Return one token from M_p, and n tokens from M_q.'],
  ['draw', 't ∼ p′(x)'],
  ['caches', 'return prefix + [x₁ … x_n, t]'],
] as const;

/** Lines of the algorithm that a step carries out, from 1. Block verification has no line of its own in the paper. */
export function linesOf({ kind }: Step): number[] {
  const name = kind === 'block' ? 'accept' : kind;
  return ALGORITHM.flatMap(([line], i) => (line === name ? [i + 1] : []));
}
