import type { SequenceModel } from '../engine';
import { BeamDraft } from './beam-draft';
import { type BeamParts, BeamState, exactBeamParts } from './beam-round';
import type { FinishedBeam } from './beam-selection';
import { type BeamDrafter, type BeamSettings, beamRules, draftRules } from './beam-settings';
import { DecodingError } from './errors';

export interface BeamSearchRequest {
  readonly target: SequenceModel;
  /** Source ids, EOS included. */
  readonly source: readonly number[];
  readonly settings?: BeamSettings;
  /** Makes the search speculative: the same sequences and scores for fewer target calls. */
  readonly drafter?: BeamDrafter | null;
  readonly signal?: AbortSignal;
}

export interface BeamMetrics {
  /** Steps of beam search: target calls that it takes without a draft. */
  readonly steps: number;
  readonly rounds: number;
  readonly targetCalls: number;
  /** Rows of all target calls: hypotheses and proposed prefixes. */
  readonly targetRows: number;
  readonly draftCalls: number;
  /** Levels that the draft searched ahead, and those whose scores served: steps − rounds. */
  readonly proposedLevels: number;
  readonly acceptedLevels: number;
  /** Tokens of the best sequence. */
  readonly newTokens: number;
  /** steps / targetCalls: what the draft saves; 1 without one. */
  readonly stepsPerTargetCall: number;
  /** Seconds in all, in target calls (selection included), and in drafting. */
  readonly seconds: number;
  readonly targetSeconds: number;
  readonly draftSeconds: number;
}

export interface BeamSearchResult {
  /** Best first; at most `settings.sequences`, fewer only where there are no more. */
  readonly sequences: readonly FinishedBeam[];
  readonly metrics: BeamMetrics;
}

/**
 * Beam search as Hugging Face's `generate(num_beams=…)` for one source: all hypotheses advance in one target call a step.
 * With a drafter it is speculative (Leviathan et al. 2023, appendix A.4), and the sequences and scores are the same in every
 * bit, whatever the draft, its width or γ.
 *
 * @throws DecodingError `option-invalid`, `vocabulary-mismatch`, `no-token-left` or `aborted`
 */
export function beamSearch(request: BeamSearchRequest): Promise<BeamSearchResult> {
  return searchWith(exactBeamParts, request);
}

/** `beamSearch` made of these parts; for proofs, which known-wrong ones must fail. */
export async function searchWith(parts: BeamParts, request: BeamSearchRequest): Promise<BeamSearchResult> {
  const { target, source, drafter, settings = {} } = request;
  const rules = beamRules(settings, target);
  const drafting = drafter ? draftRules(rules, drafter, target) : null;
  const started = performance.now();
  const [encoded] = await target.encode([source]);
  let state: BeamState | null = null;
  let draft: BeamDraft | null = null;
  try {
    state = new BeamState(target, rules, parts, encoded.open());
    if (drafting && drafting.gamma > 0) draft = await BeamDraft.open(drafting, source, rules);
    while (!state.done) {
      if (request.signal?.aborted) throw new DecodingError('aborted', 'beam search: cancelled');
      await state.round(draft, drafting?.gamma ?? 0);
    }
    if (state.finished.length === 0) {
      const found = 'found all forbidden';
      throw new DecodingError('no-token-left', `position ${state.steps}: expected a token to choose, ${found}`);
    }
    const sequences = state.finished.slice(0, rules.sequences);
    return { sequences, metrics: metricsOf(state, draft, (performance.now() - started) / 1000) };
  } finally {
    draft?.dispose();
    state?.dispose();
    encoded.dispose();
  }
}

function metricsOf(state: BeamState, draft: BeamDraft | null, seconds: number): BeamMetrics {
  const { steps, rounds, targetRows, proposedLevels, targetMs, draftMs } = state;
  return {
    steps,
    rounds,
    targetCalls: rounds,
    targetRows,
    draftCalls: draft?.calls ?? 0,
    proposedLevels,
    acceptedLevels: steps - rounds,
    newTokens: state.finished[0].ids.length,
    stepsPerTargetCall: steps / rounds,
    seconds,
    targetSeconds: targetMs / 1000,
    draftSeconds: draftMs / 1000,
  };
}
