import { propose } from './drafters/propose';
import type { Failure } from './failure';
import { RoundTimer } from './gamma/timing';
import type { Run } from './run';
import { score } from './sampling/score';
import { type Acceptance, accept } from './verification/accept';

/** What a round brought to one run: tokens and perhaps the end, or what went wrong. */
export type Outcome = Acceptance | Failure;

/**
 * One round of speculative decoding (Leviathan, Kalman and Matias 2023, Algorithm 1), for one run or for many at once. All runs
 * have the same target and the same drafter.
 *
 * A round does not throw. An error of one run is that run's outcome, and the others go on. An error of a call that several runs
 * share is the outcome of each of them.
 */
export async function round(runs: readonly Run[]): Promise<Outcome[]> {
  const timer = new RoundTimer(runs); // what a round takes decides how much the next ones propose, where γ is 'auto'

  // 1. PROPOSE: the draft proposes up to γ tokens for each run, each with the distribution that it was drawn from.
  const proposals = await propose(runs);
  timer.proposed();

  // 2. SCORE: one call of the target gives its distribution at every proposed position, and at the one after.
  const targets = await score(runs, proposals);

  // 3. ACCEPT: each run keeps the proposed tokens that its rule accepts, and gets one more token from the target.
  const outcomes = runs.map((run, i) => accept(run, proposals[i], targets[i]));
  timer.finished(proposals, outcomes);
  return outcomes;
}
