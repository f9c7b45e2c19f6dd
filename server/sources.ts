import type { EncodeInputOptions, Input } from '../api';
import { failureOf, RequestError } from './failure';
import type { Serving } from './serving';

/** How text becomes ids, and how many of them stay. */
export interface SourceOptions extends EncodeInputOptions {
  readonly truncate?: number;
}

/**
 * The ids of sources. Text becomes ids here once; what is too long is refused before it takes a place. The cut itself is the
 * engine's.
 *
 * @returns ids, and how many of them the model sees
 * @throws RequestError 400
 */
export async function idsOf(
  { tandem, settings }: Serving,
  inputs: readonly Input[],
  { truncate = Number.POSITIVE_INFINITY, ...encoding }: SourceOptions,
  param: string,
): Promise<{ readonly ids: (readonly number[])[]; readonly lengths: number[] }> {
  const { limitSource } = settings;
  const found = { ids: [] as (readonly number[])[], lengths: [] as number[] };
  for (const [i, input] of inputs.entries()) {
    const name = inputs.length > 1 ? `${param} ${i}` : param;
    const ids = await tandem.encode(input, encoding).catch((error: unknown) => {
      throw about(param, name, error);
    });
    const length = Math.min(ids.length, truncate);
    if (length > limitSource) {
      const message = `${name}: expected at most ${limitSource} token ids, found ${length}`;
      throw new RequestError(400, message, { param, code: 'context_length_exceeded' });
    }
    found.ids.push(ids);
    found.lengths.push(length);
  }
  return found;
}

/** An error of encoding that says which source it is about. */
function about(param: string, name: string, error: unknown): RequestError {
  const { status, message, details } = failureOf(error);
  return status === 400 ? new RequestError(status, `${name}: ${message}`, { ...details, param }) : failureOf(error);
}
