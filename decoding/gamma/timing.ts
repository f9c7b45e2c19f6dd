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
    const costs = runs[0]?.gamma.costs;
    if (!costs) return;
    if (runs.length === 1 && isPlain(runs[0], proposals[0], outcomes[0]) && costs.passes(1)) return;
    let tells = true;
    let [rows, steps, tokens, openingMs, opened, caughtUp] = [0, 0, 0, 0, 0, false];
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i];
      const [proposal, outcome] = [proposals[i], outcomes[i]];
      if (run.openingMs !== null) {
        openingMs += run.openingMs;
        opened++;
        run.openingMs = null;
      }
      if (run.gamma.costs !== costs || proposal instanceof Failure || outcome instanceof Failure) {
        tells = false;
        continue;
      }
      rows += 1 + proposal.length;
      steps = Math.max(steps, depthOf(proposal));
      tokens += outcome.tokens.length;
      caughtUp ||= proposal.length > 0 && run.gamma.isCatchingUp === true;
    }
    if (!tells) return;
    const draftMs = Math.max(0, drafted - start - openingMs);
    costs.learn({ streams: runs.length, rows, steps, tokens, draftMs, targetMs, openingMs, opened, caughtUp });
  }
}

/** Whether a round of one run went well and proposed nothing. */
function isPlain({ openingMs }: Run, proposal: Proposal | Failure, outcome: Acceptance | Failure): boolean {
  if (proposal instanceof Failure || outcome instanceof Failure) return false;
  return proposal.length === 0 && openingMs === null;
}
