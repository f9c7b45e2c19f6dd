import { Turns } from '../../common';
import { allIds, type EncoderOptions, type SequenceModel, type Source } from '../../engine';
import { DecodingError } from '../errors';
import { checkSignal } from '../run';
import { BeamDraft } from './draft';
import { type BeamParts, BeamState, exactBeamParts } from './round';
import type { FinishedBeam } from './selection';
import { type BeamDrafter, type BeamSettings, beamRules, draftRules } from './settings';

export interface BeamSearchRequest {
  readonly target: SequenceModel;
  /** Source ids, EOS included. */
  readonly source: Source;
  readonly settings?: BeamSettings;
  /** Makes the search speculative: it finds the same sequences and scores with fewer target calls. */
  readonly drafter?: BeamDrafter | null;
  readonly signal?: AbortSignal;
  /** Called while the source is encoded. */
  readonly onEncoding?: EncoderOptions['onProgress'];
}

export interface BeamMetrics {
  /** Steps of beam search, which is the number of target calls without a draft. */
  readonly steps: number;
  readonly rounds: number;
  readonly targetCalls: number;
  /** Rows of all target calls: hypotheses, and prefixes that the draft proposed. */
  readonly targetRows: number;
  readonly draftCalls: number;
  /** Steps that the draft searched ahead. */
  readonly proposedSteps: number;
  /** Steps that needed no target call of their own: steps − rounds. */
  readonly acceptedSteps: number;
  /** Tokens of the best sequence. */
  readonly newTokens: number;
  /** steps / targetCalls; 1 without a draft. */
  readonly stepsPerTargetCall: number;
  /** Seconds in all, in target calls (selection included), and in drafting. */
  readonly seconds: number;
  readonly targetSeconds: number;
  readonly draftSeconds: number;
}

export interface BeamSearchResult {
  /** Best first; at most `numReturnSequences`, and fewer only when no more were found. */
  readonly sequences: readonly FinishedBeam[];
  readonly metrics: BeamMetrics;
}

/**
 * Beam search as in Hugging Face's `generate(num_beams=…)`, for one source: each step is one target call for all hypotheses. With
 * a drafter it is speculative (Leviathan et al. 2023, appendix A.4). The sequences and scores are the same in every bit,
 * whatever the draft, its width or γ.
 *
 * @throws DecodingError `option-invalid`, `vocabulary-mismatch`, `logits-invalid`, `no-token-left` or `aborted`
 */
export function beamSearch(request: BeamSearchRequest): Promise<BeamSearchResult> {
  return searchWith(exactBeamParts, request);
}

/** `beamSearch` with these parts. Proofs call it with known-wrong parts, which must fail. */
export async function searchWith(parts: BeamParts, request: BeamSearchRequest): Promise<BeamSearchResult> {
  const { target, source, drafter, signal, onEncoding, settings = {} } = request;
  const rules = beamRules(settings, target, allIds(source));
  const drafting = drafter ? draftRules(rules, drafter, target) : null;
  const started = performance.now();
  const [encoded] = await target.encode([source], { signal, onProgress: onEncoding });
  let state: BeamState | null = null;
  let draft: BeamDraft | null = null;
  try {
    state = new BeamState(target, rules, parts, encoded.open());
    if (drafting && drafting.gamma > 0) draft = await BeamDraft.open(drafting, source, rules, signal);
    const turns = new Turns();
    while (!state.done) {
      await turns.give(); // an abort or a Ctrl-C is heard between rounds, and other work of the process goes on
      checkSignal(signal);
      await state.round(draft, drafting?.gamma ?? 0);
    }
    if (state.finished.length === 0) {
      const found = 'found all forbidden';
      throw new DecodingError('no-token-left', `position ${state.steps}: expected a token to choose, ${found}`);
    }
    const sequences = state.finished.slice(0, rules.numReturnSequences);
    return { sequences, metrics: metricsOf(state, draft, (performance.now() - started) / 1000) };
  } finally {
    draft?.dispose();
    state?.dispose();
    encoded.dispose();
  }
}

function metricsOf(state: BeamState, draft: BeamDraft | null, seconds: number): BeamMetrics {
  const { steps, rounds, targetRows, proposedSteps, targetMs, draftMs } = state;
  return {
    steps,
    rounds,
    targetCalls: rounds,
    targetRows,
    draftCalls: draft?.calls ?? 0,
    proposedSteps,
    acceptedSteps: steps - rounds,
    newTokens: state.finished[0].ids.length,
    stepsPerTargetCall: steps / rounds,
    seconds,
    targetSeconds: targetMs / 1000,
    draftSeconds: draftMs / 1000,
  };
}
