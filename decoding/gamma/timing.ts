import { Failure } from '../failure';
import type { Proposal } from '../proposal';
import { depthOf } from '../proposal';
import type { Run } from '../run';
import type { Acceptance } from '../verification/accept';
import type { WayCosts } from './learnt';

/** Times one round of runs whose γ follows learnt costs, and tells these costs. */
export class RoundTimer {
  private readonly start = performance.now();
  private drafted = this.start;

  constructor(private readonly runs: readonly Run[]) {}

  /** All drafts have proposed. */
  proposed(): void {
    this.drafted = performance.now();
  }

  /**
   * The round is over. One that failed, and one in which γ of a run follows no clock, tells nothing. Where runs turn logits into
   * tokens in several ways, it tells the costs of each way: they share the calls, so what it took is what a round like it takes.
   */
  finished(proposals: readonly (Proposal | Failure)[], outcomes: readonly (Acceptance | Failure)[]): void {
    const { runs, start, drafted } = this;
    const targetMs = performance.now() - drafted;
    if (runs.length === 1 && isPlain(runs[0], proposals[0], outcomes[0]) && runs[0].gamma.costs?.passes(1)) return;
    const ways = new Set<WayCosts>();
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
      const { costs: way } = run.gamma;
      if (!way || proposal instanceof Failure || outcome instanceof Failure) {
        tells = false;
        continue;
      }
      ways.add(way);
      rows += 1 + proposal.length;
      steps = Math.max(steps, depthOf(proposal));
      tokens += outcome.tokens.length;
      caughtUp ||= proposal.length > 0 && run.gamma.isCatchingUp === true;
    }
    if (!tells) return;
    const draftMs = Math.max(0, drafted - start - openingMs);
    const round = { streams: runs.length, rows, steps, tokens, draftMs, targetMs, openingMs, opened, caughtUp };
    for (const way of ways) way.learn(round);
  }
}

/** Whether a round of one run went well and proposed nothing. */
function isPlain({ openingMs }: Run, proposal: Proposal | Failure, outcome: Acceptance | Failure): boolean {
  if (proposal instanceof Failure || outcome instanceof Failure) return false;
  return proposal.length === 0 && openingMs === null;
}
