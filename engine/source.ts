import { EngineError } from './errors';
import type { Source } from './types';

/** The ids of a source that the model sees. */
export interface SourceRows {
  readonly ids: readonly number[];
  /** Place of each id in the source; null where the ids follow one another, because T5 sees distances alone. */
  readonly places: Int32Array | null;
}

/** All ids of a source, hidden ones included: what rules about the source's ids look at, as in Hugging Face. */
export function allIds(source: Source): readonly number[] {
  return 'ids' in source ? source.ids : source;
}

/**
 * The ids that a mask leaves. Those that it hides have no effect on the others, so they are left out, and the others keep their
 * distances. A source without a mask is all its ids.
 *
 * @param index for messages
 * @throws EngineError `source-invalid`
 */
export function sourceRows(source: Source, index: number, vocabulary: number): SourceRows {
  const where = `encode: source ${index}`;
  const { ids, mask } = 'ids' in source ? source : { ids: source, mask: null };
  for (const id of ids) {
    if (Number.isInteger(id) && id >= 0 && id < vocabulary) continue;
    throw new EngineError('source-invalid', `${where}: id: expected 0 to ${vocabulary - 1}, found ${id}`);
  }
  const places = mask === null ? null : keptPlaces(mask, ids.length, where);
  const count = places?.length ?? ids.length;
  if (count === 0) {
    const expected = mask === null ? 'at least one id' : 'a mask that leaves at least one id';
    throw new EngineError('source-invalid', `${where}: expected ${expected}, found none`);
  }
  if (places === null) return { ids, places };
  const isOneRun = places[count - 1] - places[0] === count - 1;
  return { ids: Array.from(places, (place) => ids[place]), places: isOneRun ? null : places };
}

function keptPlaces(mask: ArrayLike<number>, ids: number, where: string): Int32Array {
  if (mask.length !== ids) {
    throw new EngineError('source-invalid', `${where}: mask: expected ${ids} numbers, one an id, found ${mask.length}`);
  }
  const places: number[] = [];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 1) places.push(i);
    else if (mask[i] !== 0) {
      throw new EngineError('source-invalid', `${where}: mask: expected 0 or 1, found ${mask[i]} at place ${i}`);
    }
  }
  return Int32Array.from(places);
}
