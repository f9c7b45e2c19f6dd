import { expectedTokens, predictedSpeedup } from './gamma/theory';

/**
 * What decoding did, as sums. Tallies of several runs can be added up (`addTallies`), and every ratio is computed from a tally
 * (`metricsOf`): the metrics of one run, of a comparison, of a report over many inputs and of the paper's tables alike.
 */
export interface Tally {
  /** Tokens that came out. */
  readonly newTokens: number;
  readonly rounds: number;
  readonly targetCalls: number;
  readonly draftCalls: number;
  /** Draft tokens proposed, in a tree all of its tokens. */
  readonly proposed: number;
  /** Draft tokens that verification accepted. */
  readonly accepted: number;
  /** Σ over rounds of the number of positions that the proposal reached: `proposed` where proposals are chains. */
  readonly proposedDepth: number;
  /** Σ of the probability that verification accepts, over positions up to and including each round's first rejection. */
  readonly acceptanceSum: number;
  /** How many positions that sum has. */
  readonly acceptancePositions: number;
  /** Seconds in all (with opening the draft, without encoding the source), in target calls (distributions included), and in drafting. */
  readonly seconds: number;
  readonly targetSeconds: number;
  readonly draftSeconds: number;
}

const ZERO: Tally = {
  newTokens: 0,
  rounds: 0,
  targetCalls: 0,
  draftCalls: 0,
  proposed: 0,
  accepted: 0,
  proposedDepth: 0,
  acceptanceSum: 0,
  acceptancePositions: 0,
  seconds: 0,
  targetSeconds: 0,
  draftSeconds: 0,
};

/** The sum of tallies, which may also be metrics. */
export function addTallies(tallies: readonly Tally[]): Tally {
  const total: Record<string, number> = { ...ZERO };
  for (const tally of tallies) for (const name of Object.keys(ZERO)) total[name] += tally[name as keyof Tally];
  return total as unknown as Tally;
}

/** A tally with the figures that follow from it. "Acceptance" is four different numbers; each has its own name. */
export interface Metrics extends Tally {
  /** False when lenience let the text leave the target's distribution. */
  readonly exact: boolean;
  /** accepted / proposed. */
  readonly acceptedShare: number;
  /**
   * α: the mean probability that verification accepts, which is Σ min(target, draft) with one token a position, over positions up
   * to and including each round's first rejection. With coupled verification it is the share of these positions that was accepted.
   */
  readonly acceptanceRate: number;
  /** accepted / rounds. */
  readonly meanAcceptedLength: number;
  /** newTokens / targetCalls. */
  readonly tokensPerTargetCall: number;
  /** γ of every round; where it changes, the mean number of positions proposed. */
  readonly gamma: number;
  /** c: seconds of a draft call / seconds of a target call without draft; null when no plain run was measured. */
  readonly costRatio: number | null;
  /** v: seconds of a target call of this run / seconds of one without draft; null when no plain run was measured. */
  readonly verifyRatio: number | null;
  /** Tokens a round that α and γ predict. */
  readonly predictedTokensPerRound: number;
  /** Speed-up over decoding without a draft that α, c and v predict; null when no plain run was measured. */
  readonly predictedSpeedup: number | null;
}

export interface MetricsOptions {
  /** γ of every round; left out, the mean number of positions proposed stands for it. */
  readonly gamma?: number;
  /** Decoding without a draft, measured in the same run: the unit of c and v. */
  readonly plain?: Tally;
  readonly exact?: boolean;
}

/** The figures that follow from a tally. */
export function metricsOf(tally: Tally, { plain, exact = true, ...options }: MetricsOptions = {}): Metrics {
  const gamma = options.gamma ?? ratio(tally.proposedDepth, tally.rounds);
  const alpha = ratio(tally.acceptanceSum, tally.acceptancePositions);
  const comparable = plain !== undefined && plain.targetCalls > 0 && tally.draftCalls > 0 && tally.targetCalls > 0;
  const step = comparable ? plain.targetSeconds / plain.targetCalls : 0;
  const c = comparable ? tally.draftSeconds / tally.draftCalls / step : null;
  const v = comparable ? tally.targetSeconds / tally.targetCalls / step : null;
  return {
    ...addTallies([tally]),
    exact,
    gamma,
    acceptedShare: ratio(tally.accepted, tally.proposed),
    acceptanceRate: alpha,
    meanAcceptedLength: ratio(tally.accepted, tally.rounds),
    tokensPerTargetCall: ratio(tally.newTokens, tally.targetCalls),
    costRatio: c,
    verifyRatio: v,
    predictedTokensPerRound: expectedTokens(alpha, gamma),
    predictedSpeedup: c === null || v === null ? null : predictedSpeedup({ alpha, gamma, c, v }),
  };
}

/** Seconds a token without a draft / seconds a token with one. */
export function measuredSpeedup(speculative: Tally, plain: Tally): number {
  return plain.seconds / plain.newTokens / (speculative.seconds / speculative.newTokens);
}

function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}

/** Counts one run as it goes on. */
export class Meter {
  private readonly started = performance.now();
  private readonly sums: { -readonly [Name in keyof Tally]: number } = { ...ZERO };

  /** A target call, or this run's share of one that serves several runs. */
  targetCall(milliseconds: number): void {
    this.sums.targetSeconds += milliseconds / 1000;
    this.sums.targetCalls++;
  }

  /** @param calls draft calls of this run so far */
  drafting(milliseconds: number, calls: number): void {
    this.sums.draftSeconds += milliseconds / 1000;
    this.sums.draftCalls = calls;
  }

  round(round: { proposed: number; depth: number; accepted: number; acceptance: readonly number[] }): void {
    this.sums.rounds++;
    this.sums.proposed += round.proposed;
    this.sums.proposedDepth += round.depth;
    this.sums.accepted += round.accepted;
    this.sums.acceptancePositions += round.acceptance.length;
    for (const probability of round.acceptance) this.sums.acceptanceSum += probability;
  }

  tokens(count: number): void {
    this.sums.newTokens += count;
  }

  /** Everything so far; `seconds` is the time since the run began. */
  get tally(): Tally {
    return { ...this.sums, seconds: (performance.now() - this.started) / 1000 };
  }
}
