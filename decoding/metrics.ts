import { expectedTokens, predictedSpeedup } from './theory';

/** What a run cost and how well its proposals did. "Acceptance" is four different numbers; each has its own name. */
export interface Metrics {
  /** False when lenience let the text leave the target's distribution. */
  readonly exact: boolean;
  readonly newTokens: number;
  readonly rounds: number;
  readonly targetCalls: number;
  readonly draftCalls: number;
  /** Draft tokens proposed, in a tree all of its candidates, and those that verification accepted. */
  readonly proposed: number;
  readonly accepted: number;
  /** accepted / proposed. */
  readonly acceptedShare: number;
  /**
   * α: mean of Σ min(target, draft) over positions up to and including each round's first rejection; with several candidates at
   * a position, of the probability that one of them stands.
   */
  readonly acceptanceRate: number;
  /** accepted / rounds. */
  readonly meanAcceptedLength: number;
  /** newTokens / targetCalls. */
  readonly tokensPerTargetCall: number;
  /** Seconds in all, in target calls (distributions included), and in drafting. */
  readonly seconds: number;
  readonly targetSeconds: number;
  readonly draftSeconds: number;
  /** c: seconds a draft call / seconds a one-row target call, when a baseline is known. */
  readonly costRatio: number | null;
  /** v: seconds a target call of this run / seconds a one-row target call, when a baseline is known. */
  readonly verifyRatio: number | null;
  /** Tokens a round that α and γ predict. */
  readonly predictedTokensPerRound: number;
  /** Speed-up over autoregressive decoding that α, c and v predict; null without a baseline. */
  readonly predictedSpeedup: number | null;
}

/** Adds a run up as it goes. */
export class Meter {
  private readonly started = performance.now();
  private tokens = 0;
  private rounds = 0;
  private targetCalls = 0;
  private proposed = 0;
  private accepted = 0;
  private overlapSum = 0;
  private overlaps = 0;
  private targetMs = 0;
  private draftMs = 0;
  draftCalls = 0;

  /** Milliseconds of a target call, or this sequence's share of one. */
  target(milliseconds: number): void {
    this.targetMs += milliseconds;
    this.targetCalls++;
  }

  draft(milliseconds: number): void {
    this.draftMs += milliseconds;
  }

  /**
   * @param proposed candidates that the round had
   * @param accepted how many of them stand
   * @param chances for each place up to the first rejection, the probability that a candidate stands there
   */
  round(proposed: number, accepted: number, chances: readonly number[]): void {
    this.rounds++;
    this.proposed += proposed;
    this.accepted += accepted;
    for (const chance of chances) this.overlapSum += chance;
    this.overlaps += chances.length;
  }

  /** Milliseconds so far in drafting and in target calls. */
  get spent(): { draft: number; target: number } {
    return { draft: this.draftMs, target: this.targetMs };
  }

  token(): void {
    this.tokens++;
  }

  /**
   * @param fixed γ of every round; null when it changed, then its mean stands for it
   * @param baseline seconds of a one-row target call, measured in the same run
   */
  metrics(fixed: number | null, baseline: number | null = null, exact = true): Metrics {
    const { tokens, rounds, targetCalls, proposed, accepted, draftCalls } = this;
    const ratio = (a: number, b: number) => (b > 0 ? a / b : 0);
    const gamma = fixed ?? ratio(proposed, rounds);
    const alpha = ratio(this.overlapSum, this.overlaps);
    const targetSeconds = this.targetMs / 1000;
    const draftSeconds = this.draftMs / 1000;
    const c = baseline === null ? null : ratio(draftSeconds, draftCalls) / baseline;
    const v = baseline === null ? null : ratio(targetSeconds, targetCalls) / baseline;
    return {
      exact,
      newTokens: tokens,
      rounds,
      targetCalls,
      draftCalls,
      proposed,
      accepted,
      acceptedShare: ratio(accepted, proposed),
      acceptanceRate: alpha,
      meanAcceptedLength: ratio(accepted, rounds),
      tokensPerTargetCall: ratio(tokens, targetCalls),
      seconds: (performance.now() - this.started) / 1000,
      targetSeconds,
      draftSeconds,
      costRatio: c,
      verifyRatio: v,
      predictedTokensPerRound: expectedTokens(alpha, gamma),
      predictedSpeedup: c === null || v === null ? null : predictedSpeedup({ alpha, gamma, c, v }),
    };
  }
}
