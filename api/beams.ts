import {
  BEAM_SETTINGS,
  type BeamMetrics,
  type BeamSettings,
  beamSearch,
  DEFAULTS,
  type FinishedBeam,
  metricsOf,
  type Tally,
} from '../decoding';
import type { Loaded } from './load';
import { sourceOf } from './source';
import { SequenceText } from './text';
import type { GenerateOptions, Input, Result, Sequence, StreamEvent } from './types';

/**
 * Searches with beams, one input after another. The tokens of an input's best sequence become certain only when its search ends:
 * then they all come, and `done` after them.
 *
 * @throws DecodingError `aborted`; whatever one input is to blame for comes as its `failed` event
 */
export async function* searchBeams(
  loaded: Loaded,
  inputs: readonly Input[],
  options: GenerateOptions,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent, void, void> {
  for (const [index, input] of inputs.entries()) {
    let result: Result;
    try {
      result = await search(loaded, input, options, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      yield { kind: 'failed', index, error: error as Error };
      continue;
    }
    const rounds = (result.beams as BeamMetrics).rounds;
    yield* tokensOf(textsOf(loaded, result.ids, options), result.ids, { index, round: rounds - 1 });
    yield { kind: 'done', index, result };
  }
}

async function search(loaded: Loaded, input: Input, options: GenerateOptions, signal: AbortSignal): Promise<Result> {
  const { target, beamDrafter, draftsUnasked } = loaded;
  const { gamma, speculative = true, onEncoding } = options;
  const drafts = speculative && (gamma !== undefined || !draftsUnasked);
  const drafter = drafts && beamDrafter ? { ...beamDrafter, gamma: gamma === 'auto' ? undefined : gamma } : null;
  const settings = settingsOf(options);
  const source = sourceOf(loaded, input, options);
  const found = await beamSearch({ target, source, settings, drafter, signal, onEncoding });
  const sequences = found.sequences.map((beam) => sequenceOf(loaded, beam, options));
  return { ...sequences[0], sequences, metrics: metricsOf(tallyOf(found.metrics)), beams: found.metrics };
}

/** Of the options, those that a search has; `checkGenerate` has refused what it has not. */
function settingsOf(options: GenerateOptions): BeamSettings {
  const names = Object.keys(BEAM_SETTINGS) as (keyof BeamSettings)[];
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

function sequenceOf(loaded: Loaded, { ids, score }: FinishedBeam, options: GenerateOptions): Sequence {
  const isEnded = loaded.target.eosTokens.includes(ids[ids.length - 1]);
  return { text: textsOf(loaded, ids, options).join(''), ids, stopReason: isEnded ? 'eos' : 'length', score };
}

/** The text that each token made certain. */
function textsOf({ tokenizer, target }: Loaded, ids: readonly number[], options: GenerateOptions): string[] {
  const { maxNewTokens = DEFAULTS.maxNewTokens, skipSpecialTokens } = options;
  const text = new SequenceText({ tokenizer, eosTokens: target.eosTokens, maxNewTokens, stop: [], skipSpecialTokens });
  return ids.map((id) => text.read(id).text);
}

function* tokensOf(
  texts: readonly string[],
  ids: readonly number[],
  { index, round }: { index: number; round: number },
): Generator<StreamEvent, void, void> {
  for (const [position, token] of ids.entries()) {
    const place = { index, sequence: 0, round, position };
    yield { kind: 'token', ...place, token, text: texts[position], origin: 'target', rejected: null };
  }
}

/** A search in the terms of all metrics: a step that the draft searched ahead counts as a proposed token. */
function tallyOf(metrics: BeamMetrics): Tally {
  const { newTokens, rounds, targetCalls, draftCalls, proposedSteps, acceptedSteps } = metrics;
  const { seconds, targetSeconds, draftSeconds } = metrics;
  return {
    ...{ newTokens, rounds, targetCalls, draftCalls, seconds, targetSeconds, draftSeconds },
    proposed: proposedSteps,
    accepted: acceptedSteps,
    proposedDepth: proposedSteps,
    acceptanceSum: acceptedSteps,
    acceptancePositions: proposedSteps,
  };
}
