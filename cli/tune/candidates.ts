import { parseDraft } from '../../api';
import type { Dtype } from '../../kernels';

/** A draft to try. */
export interface Candidate {
  readonly name: string;
  /** As `--draft` has them, tried in turn; null for the draft that comes with the bundled pair. */
  readonly draft: readonly string[] | null;
}

export interface CandidateRequest {
  /** Of `--draft`, in their order. */
  readonly given: readonly (readonly string[])[];
  /** Try nothing else. */
  readonly only: boolean;
  /** Name of the bundled pair's draft, where the target is the pair's. */
  readonly bundled: string | null;
  /** Decoder layers of the target. */
  readonly layers: number;
}

/**
 * The drafts to try: those that are given, the bundled pair's own, the target's decoder in q8, the same with copying as its draft,
 * copying, and the target's first layers, one of them and half of them.
 */
export function candidatesOf({ given, only, bundled, layers }: CandidateRequest): Candidate[] {
  const own = [...new Set([1, Math.floor(layers / 2)])].filter((count) => count >= 1 && count < layers);
  const usual = [['self'], ['self:q8:copy'], ['copy'], ...own.map((count) => [`layers:${count}`])];
  const named = [...given, ...(only ? [] : usual)].map((draft) => ({ name: draft.join(','), draft }));
  const all: Candidate[] = only || bundled === null ? named : [{ name: bundled, draft: null }, ...named];
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
}

/** Whether a draft can be loaded beside a target of this type: the target's own decoder is kept in another type. */
export function fits({ draft }: Candidate, dtype: Dtype): boolean {
  return (draft ?? []).every((name) => {
    const plan = parseDraft(name);
    return plan.kind !== 'self' || plan.dtype !== dtype;
  });
}
