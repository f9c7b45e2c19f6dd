import type { LogitsView } from '../../engine';
import { probabilityOf } from './distribution';
import type { Draw } from './draw';
import { isPlainSampling, type RowRequest } from './processors';

/**
 * The probability that a model gave to a token that it proposes, at temperature 1 where it is greedy.
 *
 * @param request the row that the token was drawn from
 * @returns null where it would cost as much as another step of the model
 */
export async function confidenceIn(
  view: LogitsView,
  { row, processing }: RowRequest,
  { token, distribution }: Draw,
): Promise<number | null> {
  const { temperature = 0 } = processing;
  const isDrawn = temperature > 0 && distribution.tokens?.length !== 1;
  if (isDrawn && !(view.isWhole && isPlainSampling(processing))) return probabilityOf(distribution, token);
  if (!view.isWhole) return null;
  const inverse = temperature > 0 ? 1 / temperature : 1;
  const [logit] = await view.at(Int32Array.of(row), Int32Array.of(token));
  return Math.exp(logit * inverse - (await view.logSumExp(row, inverse)));
}
