import type { LogitsView } from '../../engine';
import { DecodingError } from '../errors';

/** Which token a row of logits predicts. */
export interface Place {
  /** Index among the decoder ids; the start token has 0. */
  readonly position: number;
  /** Whose logits they are. Default target. */
  readonly model?: 'target' | 'draft';
}

/**
 * Refuses logits that are NaN or +∞: no text of a model that gives such logits can be trusted. −∞ is a token that is forbidden.
 *
 * @throws DecodingError `logits-invalid`, which names the model, the position and the token
 */
export function checkLogits(logits: ArrayLike<number>, place: Place): void {
  for (let token = 0; token < logits.length; token++) {
    if (!(logits[token] < Number.POSITIVE_INFINITY)) throw invalidLogits(place, `${logits[token]} for token ${token}`);
  }
}

/**
 * log Σ exp of a row, which shows whether a logit is NaN or +∞.
 *
 * @throws DecodingError `logits-invalid`
 */
export async function checkedLogSumExp(view: LogitsView, row: number, place: Place): Promise<number> {
  const total = await view.logSumExp(row, 1);
  if (total < Number.POSITIVE_INFINITY) return total;
  checkLogits(await view.read(row), place);
  throw invalidLogits(place, `logits whose exponentials sum to ${total}`);
}

function invalidLogits({ position, model = 'target' }: Place, found: string): DecodingError {
  return new DecodingError(
    'logits-invalid',
    `${model}: position ${position}: expected logits below infinity, found ${found}`,
  );
}
