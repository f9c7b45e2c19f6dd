import { Failure } from '../failure';
import type { Proposal } from '../proposal';
import { depthOf } from '../proposal';
import type { Run } from '../run';
import type { Acceptance } from '../verification/accept';

/** Times one round of runs whose γ follows learnt costs, and tells these costs. */
export class RoundTimer {
  private readonly start = performance.now();
  private drafted = this.start;

  constructor(private readonly runs: readonly Run[]) {}

  /** All drafts have proposed. */
  proposed(): void {
    this.drafted = performance.now();
  }

  /** The round is over. One that failed, and one whose runs do not share their costs, tells nothing. */
  finished(proposals: readonly (Proposal | Failure)[], outcomes: readonly (Acceptance | Failure)[]): void {
    const { runs, start, drafted } = this;
    const targetMs = performance.now() - drafted;
    const openings = runs.map((run) => takeOpening(run)).filter((one) => one !== null);
    const costs = runs[0]?.gamma.costs;
    if (!costs || runs.some(({ gamma }) => gamma.costs !== costs)) return;
    let [rows, steps, tokens, caughtUp] = [0, 0, 0, false];
    for (const [i, run] of runs.entries()) {
      const [proposal, outcome] = [proposals[i], outcomes[i]];
      if (proposal instanceof Failure || outcome instanceof Failure) return;
      rows += 1 + proposal.length;
      steps = Math.max(steps, depthOf(proposal));
      tokens += outcome.tokens.length;
      caughtUp ||= proposal.length > 0 && run.gamma.isCatchingUp === true;
    }
    const openingMs = openings.reduce((sum, one) => sum + one, 0);
    const draftMs = Math.max(0, drafted - start - openingMs);
    const { length: streams } = runs;
    costs.learn({ streams, rows, steps, tokens, draftMs, targetMs, openingMs, opened: openings.length, caughtUp });
  }
}

function takeOpening(run: Run): number | null {
  const { openingMs } = run;
  run.openingMs = null;
  return openingMs;
}
