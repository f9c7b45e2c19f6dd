import type { LogitsView } from '../../engine';
import { BLOCK, expFalling } from '../../kernels';
import type { Scores } from './softmax';

/** The exponential numbers of all tokens at a place. */
export interface RaceNumbers {
  /** The number of a token. */
  of(token: number): number;
  /** Numbers of a block's tokens are at least its bound, but for rounding, [vocabulary / BLOCK, rounded up]. */
  readonly bounds: Float64Array;
}

/** Tokens whose logit is below the largest by more than this many temperatures are far: their weight is below e^−FAR. */
const FAR = 6;
/** Above e^−FAR by more than rounding. */
const FAR_WEIGHT = Math.exp(-FAR) * (1 + 2 ** -20);
/** Above 1 by more than the rounding of all that two times differ in. */
const CLEAR = 1 + 2 ** -40;
/** Above `CLEAR` by more than the rounding of the numbers that it is compared with. */
const NEAR = 1 + 2 ** -30;
/**
 * The longest time that is compared. A number that is not 0 is at least 2⁻⁵⁸, so up to this time no weight is so small that it has fewer
 * bits. Where the largest logit is only known up to a bound, all weights may be that small.
 */
const LONGEST = 2 ** 960;

/**
 * A race (`raceSeveral`) without the sum that probabilities need. A token with weight e^((logit − most) / temperature) finishes after
 * number / weight, up to a factor that all share. A block whose bound is too large for its largest weight has no winner, so most blocks
 * are passed over, and neither weights nor numbers of their tokens are computed.
 */
class Race {
  private first = -1;
  private least = Number.POSITIVE_INFINITY;
  private second = Number.POSITIVE_INFINITY;
  private readonly far: number;

  /** @param most no logit is above it */
  constructor(
    private readonly numbers: RaceNumbers,
    private readonly most: number,
    private readonly temperature: number,
  ) {
    this.far = most - FAR * temperature;
  }

  /**
   * The token that is the fastest so far; null where none has finished in time, and where another one is so near that rounding may
   * decide, so that the probabilities themselves are needed.
   */
  get winner(): number | null {
    const { least, second } = this;
    return least > 0 && least < LONGEST && second > least * CLEAR ? this.first : null;
  }

  /** Whether one of a block's tokens may win, whose logits are at most `top`. */
  mayWin(block: number, top: number): boolean {
    const bound = this.numbers.bounds[block];
    const near = this.least * NEAR;
    return bound <= (top < this.far ? near * FAR_WEIGHT : near) && bound <= near * this.weightOf(top);
  }

  /** Lets the tokens of a block run, of which one may have run before. */
  runBlock(block: number, logits: Float32Array, before = -1): void {
    const bound = this.numbers.bounds[block];
    for (let i = 0; i < logits.length; i++) {
      const logit = logits[i];
      if (logit < this.far && bound > this.least * NEAR * FAR_WEIGHT) continue;
      const token = block * BLOCK + i;
      const weight = this.weightOf(logit);
      if (bound <= this.least * NEAR * weight && token !== before) this.run(token, weight);
    }
  }

  run(token: number, weight: number): void {
    const time = this.numbers.of(token) / weight;
    if (!(time < this.second)) return;
    if (time < this.least) {
      this.second = this.least;
      this.least = time;
      this.first = token;
    } else this.second = time;
  }

  private weightOf(logit: number): number {
    return expFalling((logit - this.most) / this.temperature);
  }
}

/**
 * The winner of a race by logits.
 *
 * @returns null where two tokens are so near that rounding may decide, so that the probabilities themselves are needed
 */
export function fastestByScores({ logits, best, tops, temperature }: Scores, numbers: RaceNumbers): number | null {
  const race = new Race(numbers, logits[best], temperature);
  race.run(best, 1);
  for (let block = 0; block < tops.length; block++) {
    if (!race.mayWin(block, tops[block])) continue;
    race.runBlock(block, logits.subarray(block * BLOCK, (block + 1) * BLOCK), best);
  }
  return race.winner;
}

/** The largest share of blocks that may have a winner. With more the whole row is faster. */
const MOST_BLOCKS = 0.2;

/**
 * The winner of a race by bounds of the logits, and by the logits themselves of those blocks that may win: `fastestByScores`, for a row
 * that is cheaper in parts (`LogitsView.tops`).
 *
 * @returns null where the view has no bounds, where too many blocks may win, and where `fastestByScores` has none
 */
export async function fastestByTops(
  view: LogitsView,
  row: number,
  temperature: number,
  numbersOf: () => RaceNumbers | null,
): Promise<number | null> {
  const tops = (await view.tops?.(row)) ?? null;
  const numbers = tops && numbersOf();
  if (!numbers || !view.blocks) return null;
  let best = 0;
  for (let block = 1; block < tops.length; block++) if (tops[block] > tops[best]) best = block;
  const race = new Race(numbers, tops[best], temperature);
  race.runBlock(best, await view.blocks(row, [best]));
  const others: number[] = [];
  for (let block = 0; block < tops.length; block++) {
    if (block !== best && race.mayWin(block, tops[block])) others.push(block);
  }
  if (others.length > tops.length * MOST_BLOCKS) return null;
  const logits = others.length > 0 ? await view.blocks(row, others) : new Float32Array(0);
  for (const [i, block] of others.entries()) race.runBlock(block, logits.subarray(i * BLOCK, (i + 1) * BLOCK));
  return race.winner;
}
