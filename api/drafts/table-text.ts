import { parseShallowJson } from '../../common';
import { DecodingError, NgramTable } from '../../decoding';

/** The most bytes of a table that is read. */
export const MOST_TABLE_BYTES = 256 << 20;

/** A table from its JSON. @throws DecodingError `option-invalid` */
export function parseTable(text: string, name: string): NgramTable {
  let value: unknown;
  try {
    value = parseShallowJson(text);
  } catch {
    throw new DecodingError('option-invalid', `${name}: expected JSON of an n-gram table, found other text`);
  }
  return NgramTable.fromJSON(value, name);
}
