import type { LogitsView } from '../../engine';
import { smallestKeys } from './distribution';
import { checkedLogSumExp, type Place } from './invalid';

/** A token and the natural logarithm of its probability. */
export interface LogProb {
  readonly token: number;
  readonly logProb: number;
}

/**
 * What the model itself says of a token at its place: the log-softmax of its logits, before every setting (temperature, top-k,
 * penalties, forced tokens and the rest).
 */
export interface TokenLogProb extends LogProb {
  /** The most probable tokens of this place, most probable first; of equal ones the lower id comes first. */
  readonly top?: readonly LogProb[];
}

/** One row of logits, ready to be asked for any token. */
export class LogProbRow {
  private constructor(
    private readonly logits: Float32Array, // [vocabulary]
    private readonly logSumExp: number,
    private readonly count: number,
  ) {}

  /**
   * @param count how many of the most probable tokens `of` lists; 0 lists none
   * @throws DecodingError `logits-invalid`
   */
  static async read(view: LogitsView, row: number, count: number, place: Place): Promise<LogProbRow> {
    const total = await checkedLogSumExp(view, row, place);
    return new LogProbRow(await view.read(row), total, count);
  }

  of(token: number): TokenLogProb {
    const { logits, logSumExp, count } = this;
    const entry = (id: number): LogProb => ({ token: id, logProb: logits[id] - logSumExp });
    if (count === 0) return entry(token);
    const best = smallestKeys(count, logits.length, (id) => -logits[id]);
    return { ...entry(token), top: best.map(entry) };
  }
}
