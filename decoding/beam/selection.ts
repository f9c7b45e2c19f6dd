import type { Continuation } from './scores';
import type { BeamRules } from './settings';

/** A hypothesis: decoder ids, start token first, with the sum of their log-probabilities. */
export interface Beam {
  readonly ids: readonly number[];
  readonly logProb: number;
}

/** A hypothesis that is continued by one token. */
export interface Candidate {
  /** Index of the hypothesis that it continues. */
  readonly parent: number;
  readonly token: number;
  /** Sum of log-probabilities, the token's included. */
  readonly logProb: number;
}

/** A sequence that has ended. */
export interface FinishedBeam {
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  /** Σ log-probability / length ** lengthPenalty, where the length counts the EOS. */
  readonly score: number;
}

/** The result of one step of the search. */
export interface Selection {
  /** Hypotheses that go on, best first; at most `numBeams`. */
  readonly running: readonly Candidate[];
  /** The best sequences that have ended so far, best first; at most `numBeams`. */
  readonly finished: readonly FinishedBeam[];
  readonly done: boolean;
}

/** Number of candidates that a step looks at: enough for `numBeams` to go on even when every hypothesis can end in every EOS. */
export function candidatesPerStep(numBeams: number, eosTokens: readonly number[]): number {
  return Math.max(2, 1 + eosTokens.length) * numBeams;
}

/** The `count` best continuations of all hypotheses; of equal ones, the lower hypothesis and then the lower id comes first. `lists[i]` continues `beams[i]`. */
export function rank(beams: readonly Beam[], lists: readonly (readonly Continuation[])[], count: number): Candidate[] {
  const all = beams.flatMap((beam, parent) =>
    lists[parent].map(({ token, logProb }) => ({ parent, token, logProb: beam.logProb + logProb })),
  );
  return all.sort((a, b) => b.logProb - a.logProb || a.parent - b.parent || a.token - b.token).slice(0, count);
}

/**
 * One step of beam search, as in Hugging Face's `GenerationMixin._beam_search` (transformers 5.23, for one source). Of the best
 * candidates, those that end and are among the first `numBeams` finish. The first `numBeams` that do not end go on. Hypotheses
 * of probability zero do not exist here; upstream keeps them with the score −1e9.
 */
export function select(
  beams: readonly Beam[],
  lists: readonly (readonly Continuation[])[],
  before: readonly FinishedBeam[],
  rules: BeamRules,
): Selection {
  const { numBeams: width, eosTokens, maxNewTokens, lengthPenalty } = rules;
  const candidates = rank(beams, lists, candidatesPerStep(width, eosTokens));
  const length = beams[0].ids.length; // number of new tokens after this step
  const ends = ({ token }: Candidate) => length >= maxNewTokens || eosTokens.includes(token);
  const ended = candidates.slice(0, width).filter(ends);
  const finished = [
    ...before,
    ...ended.map(({ parent, token, logProb }) => ({
      ids: [...beams[parent].ids.slice(1), token],
      score: logProb / length ** lengthPenalty,
    })),
  ];
  finished.sort((a, b) => b.score - a.score); // the sort is stable: of equal scores, the sequence that ended first
  finished.length = Math.min(finished.length, width);
  const running = candidates.filter((candidate) => !ends(candidate)).slice(0, width);
  return { running, finished, done: isDone(running, finished, length, rules) };
}

/** Whether the search ends: no hypothesis can go on, or by the rules none of them can beat the finished sequences any more. */
function isDone(
  running: readonly Candidate[],
  finished: readonly FinishedBeam[],
  length: number,
  rules: BeamRules,
): boolean {
  const { numBeams, earlyStopping, lengthPenalty, maxNewTokens } = rules;
  if (running.length === 0) return true;
  if (finished.length < numBeams) return false;
  // With one beam Hugging Face's generate decodes greedily, which ends at the first EOS.
  if (earlyStopping === true || numBeams === 1) return true;
  const hypothetical = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length;
  return !(running[0].logProb / hypothetical ** lengthPenalty > finished[finished.length - 1].score);
}
