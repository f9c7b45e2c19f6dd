import type { DraftStopping } from '../drafters/drafter';
import type { GammaChooser, RoundState } from './adaptive';
import type { WayCosts } from './learnt';
import { expectedTokens, judgedTokens } from './theory';

/** A predicted gain of less than this factor is not worth its risk. */
const LEAST_GAIN = 1.05;
/** Weight in judged tokens of what other sequences showed of α, and how fast a sequence forgets its own old rounds. */
const OTHERS = 16;
const MEMORY = 0.97;
/** Once in so many rounds a little more is proposed than seems best, so that larger calls are timed too. */
const EXPLORE = 16;
/**
 * A try of a draft that does not pay proposes as many tokens as the target would keep, but no more than these. One token alone says
 * nothing of what further ones cost, and for a draft that starts slowly it never pays.
 */
const MOST_TRIED = 4;

/**
 * γ by costs that are learnt while decoding: the largest predicted speed-up, or 0 where none is worth it. The text must not depend
 * on γ, because γ depends on clocks: this is for greedy decoding and coupled verification.
 *
 * @param stops whether a draft that is sure of its tokens proposes more of them, and one that is not fewer
 */
export function automaticGamma(costs: WayCosts, largest: number, stops = true): GammaChooser {
  return new AutomaticGamma(costs, largest, stops);
}

class AutomaticGamma implements GammaChooser {
  readonly fixed = null;
  private judged = OTHERS;
  private accepted: number;
  private idle = 0;
  private rounds = 0;
  /** Rounds without a proposal that were decided before. */
  private decided = 0;
  isCatchingUp = false;
  readonly stopping: DraftStopping | undefined;
  /** How sure the draft was of each token of this round's proposal. */
  private confidences: (number | null)[] = [];
  /** Of this round: γ, the best γ with its predicted speed, and the sequences. The speed is 0 where nothing pays. */
  private chosen = { gamma: 0, best: 0, speed: 0, streams: 1 };
  /** Tokens that come out at this speed in the time of one proposed token more; null until a draft tells how sure it is. */
  private price: number | null = null;

  constructor(
    readonly costs: WayCosts,
    private readonly largest: number,
    stops: boolean,
  ) {
    this.accepted = costs.alpha * OTHERS;
    if (stops) this.stopping = { longest: largest, goesOn: (confidence, depth) => this.goesOn(confidence, depth) };
  }

  private get alpha(): number {
    return Math.min(1, this.accepted / this.judged);
  }

  next(state: RoundState = {}): number {
    this.isCatchingUp = this.idle > 0;
    this.confidences = [];
    this.price = null;
    this.chosen = { gamma: 0, best: 0, speed: 0, streams: state.streams ?? 1 };
    const gamma = this.choose(state);
    this.chosen.gamma = gamma;
    return gamma;
  }

  /**
   * Whether one token more is worth its time: the tokens that it is expected to bring, at the speed of the best γ, take longer than it
   * does. It comes out where the target accepts all before it and itself.
   */
  private goesOn(confidence: number | null, depth: number): boolean {
    const { costs, chosen, confidences } = this;
    confidences.length = depth - 1;
    confidences.push(confidence);
    if (confidence === null || chosen.speed === 0) return depth < chosen.gamma;
    let reached = this.alpha;
    for (const one of confidences) reached *= one === null ? this.alpha : costs.confidence.share(one);
    this.price ??= this.priceOf(chosen);
    return reached > this.price;
  }

  /** By the mean of many steps, because the times of two neighbouring numbers of rows say little of their difference. */
  private priceOf({ best, speed, streams }: { best: number; speed: number; streams: number }): number {
    const far = 2 * best + 2;
    return (speed * (this.costs.cost(streams, far) - this.costs.cost(streams, 1))) / (far - 1);
  }

  finished(proposed: number, kept: number): void {
    this.costs.judge(proposed, kept);
    this.rounds++;
    if (proposed === 0) {
      this.idle++;
      return;
    }
    this.idle = 0;
    for (const [i, confidence] of this.confidences.slice(0, judgedTokens(proposed, kept)).entries()) {
      if (confidence !== null) this.costs.confidence.judge(confidence, i < kept);
    }
    this.accepted = this.accepted * MEMORY + kept;
    this.judged = this.judged * MEMORY + judgedTokens(proposed, kept);
  }

  private choose({ streams = 1, isOpen = true, left = Number.POSITIVE_INFINITY }: RoundState): number {
    const { costs, largest } = this;
    if (this.decided > 0 && costs.pace > 1) {
      this.decided--;
      return 0;
    }
    if (largest === 0 || costs.wantsPlain(streams) || costs.inDebt) return 0;
    const { alpha } = this;
    let [best, speed] = [0, 0];
    const mostTokens = 1 / (1 - alpha);
    for (let gamma = 1; gamma <= largest; gamma++) {
      const cost = costs.cost(streams, gamma);
      if (mostTokens / cost < Math.max(speed, LEAST_GAIN)) break; // a larger γ costs no less
      const found = expectedTokens(alpha, gamma) / cost;
      if (found > speed) [best, speed] = [gamma, found];
    }
    const opening = isOpen ? 0 : costs.opening(streams);
    if (speed >= LEAST_GAIN && left * (1 - 1 / speed) > opening) {
      Object.assign(this.chosen, { best, speed });
      return this.rounds % EXPLORE === EXPLORE - 1 ? Math.min(best + 2, largest) : best;
    }
    const tokens = expectedTokens(alpha, 1);
    if (costs.mayTry(tokens / costs.speed(streams, 1, alpha) - tokens + opening)) {
      return Math.min(MOST_TRIED, largest, Math.max(1, Math.floor(alpha / (1 - alpha))));
    }
    this.decided = costs.pace - 1; // it would come out the same, and thinking takes time
    return 0;
  }
}
