import type { TokenRule } from '../../decoding';
import type { BackendProbe } from '../../kernels';

/** What `tandem prove` checks, in this order. */
export const GROUPS = ['samplers', 'mutants', 'greedy', 'kernels', 'statistics'] as const;
export type Group = (typeof GROUPS)[number];

/** One thing that was checked. */
export interface Check {
  readonly group: Group;
  readonly name: string;
  readonly passed: boolean;
  /** What was measured, in words. */
  readonly measured: string;
  /** Why it failed: the first case that did; null where it passed. */
  readonly failure: string | null;
}

/** A known-wrong sampler and what its check measured. */
export interface MutantRow {
  readonly mutant: string;
  readonly check: string;
  readonly caught: boolean;
  readonly measured: number;
  /** What the shipped code measures by the same check. */
  readonly shipped: number;
  readonly unit: string;
  readonly example: string;
}

export interface ProveJob {
  readonly seed: number;
  /** Cases of each verification × drafter, from 1 to 25. */
  readonly cases: number;
  /** Held-out passages that are decoded on the fastest backend. */
  readonly texts: number;
  readonly backends: readonly BackendProbe[];
  readonly signal: AbortSignal;
  /** Called when a part of the work is done; `total` is that of the group. */
  readonly onStep: (group: Group, done: number, total: number) => void;
  readonly onMutant: (row: MutantRow) => void;
  /** The rule of token verification. Specs put a wrong one here and see the proof fail. */
  readonly rule?: TokenRule;
}
