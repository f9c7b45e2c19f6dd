import { median, quantile, sampleWithReplacement } from 'simple-statistics';
import { seeded } from '../../testing/seeded';

/** Seconds of one text, by round, in two ways that took turns. */
export interface PairedTimes {
  readonly plain: readonly number[];
  readonly drafted: readonly number[];
}

/** How much faster the second way is, and where that lies with a probability of 95 %. */
export interface RatioInterval {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1000;

/**
 * Time of the first way / time of the second. Of each text the median of its rounds' ratios counts, because on a machine that does
 * other things a single time may be anything, and what slows the machine for longer than a text slows both ways of its round. Texts
 * weigh as much as the second way takes for them. The interval is the bootstrap's (Efron 1979): rounds are drawn again with
 * replacement, the same for all texts, because what slows a round slows all of it.
 *
 * @param texts times of as many rounds each
 */
export function ratioInterval(texts: readonly PairedTimes[]): RatioInterval {
  const rounds = texts[0].plain.map((_, round) => round);
  const random = seeded(1);
  const ratios = Array.from({ length: RESAMPLES }, () =>
    ratioOf(texts, sampleWithReplacement(rounds, rounds.length, random)),
  );
  return { ratio: ratioOf(texts, rounds), low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

function ratioOf(texts: readonly PairedTimes[], rounds: readonly number[]): number {
  let [plain, drafted] = [0, 0];
  for (const text of texts) {
    const weight = median(rounds.map((round) => text.drafted[round]));
    plain += weight * median(rounds.map((round) => text.plain[round] / text.drafted[round]));
    drafted += weight;
  }
  return plain / drafted;
}
