import type { RatioInterval } from './ratioInterval';

/** How many rounds a ratio is measured for. */
export interface RoundPlan {
  /** Rounds that are always taken. */
  readonly least: number;
  /** More are never taken. */
  readonly most: number;
  /** Half of the interval's width, as a share of the ratio: 0.015 is 1.5 %. */
  readonly precision: number;
}

/** A ratio, and how it was measured. */
export interface MeasuredRatio {
  readonly interval: RatioInterval;
  readonly rounds: number;
  /** False where the most rounds were taken and the interval is wider still. */
  readonly precise: boolean;
}

/**
 * The median lies between the least and the greatest of n rounds with a probability of 1 − 2^(1−n). That is below 95 % for fewer
 * rounds than these, so that their interval is narrower than it should be, whatever they are.
 */
const LEAST_FOR_AN_INTERVAL = 6;

/** Half of the interval's width, as a share of the ratio: of 1.00 to 1.03 about 0.015. It is the same for every multiple of the interval. */
export function halfWidthOf({ low, high }: RatioInterval): number {
  return Math.log(high / low) / 2;
}

/**
 * Takes rounds until the interval is as narrow as asked for. The rule sees the width of the interval and never where it lies: a
 * rule that goes on while a ratio looks bad, or stops when it looks good, would shift what is found.
 *
 * @param takeRound times one more round
 * @param interval of the rounds that have been taken
 */
export async function untilPrecise(
  { least, most, precision }: RoundPlan,
  takeRound: () => Promise<void>,
  interval: () => RatioInterval,
): Promise<MeasuredRatio> {
  for (let rounds = 1; ; rounds++) {
    await takeRound();
    if (rounds < least) continue;
    const found = interval();
    const precise = rounds >= LEAST_FOR_AN_INTERVAL && halfWidthOf(found) <= precision;
    if (precise || rounds >= most) return { interval: found, rounds, precise };
  }
}
