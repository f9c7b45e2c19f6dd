import type { Continuation } from './beam-scores';
import type { BeamRules } from './beam-settings';

/** A hypothesis: decoder ids, start token first, and the sum of their log-probabilities. */
export interface Beam {
  readonly ids: readonly number[];
  readonly logProb: number;
}

/** A hypothesis and one more token. */
export interface Candidate {
  /** Index of the hypothesis among those that were extended. */
  readonly parent: number;
  readonly token: number;
  /** Sum of log-probabilities, the token's included. */
  readonly logProb: number;
}

/** A sequence that ended. */
export interface FinishedBeam {
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  /** Σ log-probability / length ** lengthPenalty, where the length counts the EOS. */
  readonly score: number;
}

/** What one step of the search leaves. */
export interface Selection {
  /** Hypotheses that go on, best first; at most `beams`. */
  readonly running: readonly Candidate[];
  /** Best sequences that ended so far, best first; at most `beams`. */
  readonly finished: readonly FinishedBeam[];
  readonly done: boolean;
}

/** Candidates that a step looks at: enough that `beams` of them go on even when every hypothesis ends in every EOS. */
export function candidatesPerStep(beams: number, eosTokens: readonly number[]): number {
  return Math.max(2, 1 + eosTokens.length) * beams;
}

/** The `count` best continuations of all hypotheses; ties by hypothesis, then by id. `lists[i]` continues `beams[i]`. */
export function rank(beams: readonly Beam[], lists: readonly (readonly Continuation[])[], count: number): Candidate[] {
  const all = beams.flatMap((beam, parent) =>
    lists[parent].map(({ token, logProb }) => ({ parent, token, logProb: beam.logProb + logProb })),
  );
  return all.sort((a, b) => b.logProb - a.logProb || a.parent - b.parent || a.token - b.token).slice(0, count);
}

/**
 * One step of beam search, as Hugging Face's `GenerationMixin._beam_search` makes it (transformers 5.23, for one source): of
 * the best candidates, those within the first `beams` that end here finish, and the first `beams` that do not end go on.
 * Hypotheses of probability zero, which upstream carries along at −1e9, do not exist here.
 */
export function select(
  beams: readonly Beam[],
  lists: readonly (readonly Continuation[])[],
  before: readonly FinishedBeam[],
  rules: BeamRules,
): Selection {
  const { beams: width, eosTokens, maxNewTokens, lengthPenalty } = rules;
  const candidates = rank(beams, lists, candidatesPerStep(width, eosTokens));
  const length = beams[0].ids.length; // of new tokens, once each hypothesis has one more
  const ends = ({ token }: Candidate) => length >= maxNewTokens || eosTokens.includes(token);
  const ended = candidates.slice(0, width).filter(ends);
  const finished = [
    ...before,
    ...ended.map(({ parent, token, logProb }) => ({
      ids: [...beams[parent].ids.slice(1), token],
      score: logProb / length ** lengthPenalty,
    })),
  ];
  finished.sort((a, b) => b.score - a.score); // stable: of equals, the one that ended first
  finished.length = Math.min(finished.length, width);
  const running = candidates.filter((candidate) => !ends(candidate)).slice(0, width);
  return { running, finished, done: isDone(running, finished, length, rules) };
}

/** Whether nothing can go on, or nothing that does is taken to be able to improve on what has finished. */
function isDone(
  running: readonly Candidate[],
  finished: readonly FinishedBeam[],
  length: number,
  rules: BeamRules,
): boolean {
  const { beams, earlyStopping, lengthPenalty, maxNewTokens } = rules;
  if (running.length === 0) return true;
  if (finished.length < beams) return false;
  // With one beam Hugging Face's generate does not search: greedy decoding ends at its first EOS.
  if (earlyStopping === true || beams === 1) return true;
  const hypothetical = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length;
  return !(running[0].logProb / hypothetical ** lengthPenalty > finished[finished.length - 1].score);
}
