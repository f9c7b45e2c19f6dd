import { Failure } from '../failure';
import { depthOf, drawsAfter, type Proposal, ROOT } from '../proposal';
import { positionOf, type Run, type StopReason } from '../run';
import type { Distribution } from '../sampling/distribution';
import type { LogProb } from '../sampling/log-probs';
import type { Verdict } from './token';

/**
 * Where a token came from: accepted from the draft, drawn in place of a rejected one, drawn after a proposal that was accepted
 * whole, or drawn from the target in a round without a proposal.
 */
export type TokenOrigin = 'accepted' | 'corrected' | 'bonus' | 'target';

/** A new token of a sequence. */
export interface NewToken {
  readonly token: number;
  /** Text that became certain by it; '' when the request does not read tokens. */
  readonly text: string;
  readonly origin: TokenOrigin;
  readonly round: number;
  /** 0 for the first new token. */
  readonly position: number;
  /** When `origin` is `corrected`: the draft token that was rejected here, the first of several. Otherwise null. */
  readonly rejected: number | null;
  /** The model's own log-probability of the token, and the most probable tokens, where `Settings.logProbs` asks for them. */
  readonly logProb?: number;
  readonly top?: readonly LogProb[];
}

/** What a round adds to a sequence. */
export interface Acceptance {
  readonly tokens: readonly NewToken[];
  /** Null while the sequence goes on. */
  readonly stopReason: StopReason | null;
}

/**
 * Step 3 of a round: verifies the proposal, adds the new tokens to the sequence, and makes both caches forget what was
 * rejected. They end one token before the sequence, as if the rejected tokens had never been there.
 */
export function accept(
  run: Run,
  proposal: Proposal | Failure,
  targets: readonly Distribution[] | Failure,
): Acceptance | Failure {
  if (proposal instanceof Failure) return proposal;
  if (targets instanceof Failure) return targets;
  try {
    const position = run.ids.length;
    const verdict = run.verifier.verify(proposal, targets, positionOf(run, position));
    const { path } = verdict;
    const { tokens, stopReason } = newTokens(run, proposal, verdict);
    count(run, proposal, targets, path);
    run.meter.tokens(tokens.length);
    const ids = tokens.map(({ token }) => token);
    run.request.trace?.round({ position, proposal, targets, verdict, tokens: ids, tally: run.meter.tally });
    run.ids.push(...ids);
    for (const { token, logProb, top } of tokens) {
      if (logProb !== undefined) run.logProbs.push(top ? { token, logProb, top } : { token, logProb });
    }
    run.target.keep(path);
    run.target.rewind(run.ids.length - 1);
    run.draft?.rewind(run.ids.length - 1, path);
    run.rounds++;
    return { tokens, stopReason };
  } catch (error) {
    return new Failure(error);
  }
}

/** The round's tokens up to the one that ends the sequence, if one does. */
function newTokens(run: Run, proposal: Proposal, { path, next }: Verdict): Acceptance {
  const rejected = drawsAfter(proposal, path[path.length - 1] ?? ROOT)[0] ?? null;
  const lastOrigin: TokenOrigin = rejected ? 'corrected' : proposal.length > 0 ? 'bonus' : 'target';
  const ids = [...path.map((index) => proposal[index].draw.token), next.token];
  const tokens: NewToken[] = [];
  for (const [i, token] of ids.entries()) {
    const position = run.ids.length - 1 + i;
    const { text, stop } = run.request.readToken?.(token) ?? { text: '', stop: false };
    const isNext = i === path.length;
    const origin = isNext ? lastOrigin : 'accepted';
    const row = (path[i - 1] ?? ROOT) - ROOT; // row 0 is that of the last certain id
    tokens.push({
      token,
      text,
      origin,
      round: run.rounds,
      position,
      rejected: isNext ? (rejected?.token ?? null) : null,
      ...run.logProbRows?.[row].of(token),
    });
    if (run.pair.target.eosTokens.includes(token)) return { tokens, stopReason: 'eos' };
    if (stop) return { tokens, stopReason: 'stop' };
    if (position + 1 >= run.maxNewTokens) return { tokens, stopReason: 'length' };
  }
  return { tokens, stopReason: null };
}

/** Tells the meter and the choice of γ how the round went. */
function count(run: Run, proposal: Proposal, targets: readonly Distribution[], path: readonly number[]): void {
  const acceptance = [ROOT, ...path].flatMap((last, i) => {
    const draws = drawsAfter(proposal, last);
    return draws.length > 0 ? [run.verifier.acceptance(draws, targets[last + 1], i < path.length)] : [];
  });
  run.meter.round({ proposed: proposal.length, depth: depthOf(proposal), accepted: path.length, acceptance });
  run.gamma.finished(proposal.length, path.length);
}
