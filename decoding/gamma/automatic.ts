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
/** While a draft does not pay, γ is thought over once in so many rounds: it would come out the same, and thinking takes time. */
const THOUGHT_OVER = 8;

/**
 * γ by costs that are learnt while decoding: the largest predicted speed-up, or 0 where none is worth it. The text must not depend
 * on γ, because γ depends on clocks: this is for greedy decoding and coupled verification.
 */
export function automaticGamma(costs: WayCosts, largest: number): GammaChooser {
  return new AutomaticGamma(costs, largest);
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

  constructor(
    readonly costs: WayCosts,
    private readonly largest: number,
  ) {
    this.accepted = costs.alpha * OTHERS;
  }

  next(state: RoundState = {}): number {
    this.isCatchingUp = this.idle > 0;
    return this.choose(state);
  }

  finished(proposed: number, kept: number): void {
    this.costs.judge(proposed, kept);
    this.rounds++;
    if (proposed === 0) {
      this.idle++;
      return;
    }
    this.idle = 0;
    this.accepted = this.accepted * MEMORY + kept;
    this.judged = this.judged * MEMORY + judgedTokens(proposed, kept);
  }

  private choose({ streams = 1, isOpen = true, left = Number.POSITIVE_INFINITY }: RoundState): number {
    const { costs, largest } = this;
    if (this.decided > 0 && costs.isResting) {
      this.decided--;
      return 0;
    }
    if (largest === 0 || costs.wantsPlain(streams) || costs.inDebt) return 0;
    const alpha = Math.min(1, this.accepted / this.judged);
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
      return this.rounds % EXPLORE === EXPLORE - 1 ? Math.min(best + 2, largest) : best;
    }
    const tokens = expectedTokens(alpha, 1);
    if (costs.mayTry(tokens / costs.speed(streams, 1, alpha) - tokens + opening)) return 1;
    this.decided = THOUGHT_OVER - 1;
    return 0;
  }
}
