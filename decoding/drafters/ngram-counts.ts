import { quoted, quotedJson } from '../../common';
import { DecodingError } from '../errors';

/** The ids of a context, with commas between: at most seven. */
const CONTEXT = /^(\d+(,\d+){0,6})?$/;

/** What a file of a table holds. */
export interface ReadCounts {
  readonly order: number;
  readonly vocabularySize: number;
  /** Ids of a context with commas between, a token that came after it, and how often. They are checked one after another as they are read. */
  readonly counts: Iterable<readonly [context: string, token: number, count: number]>;
}

/** Reads what `NgramTable.toJSON` writes. @throws DecodingError `option-invalid` when the value is something else */
export function readCounts(value: unknown, name: string): ReadCounts {
  const json = value as ReturnType<typeof JSON.parse>;
  const bad = (expected: string, found: unknown) =>
    new DecodingError('option-invalid', `${name}: expected ${expected}, found ${quotedJson(found)}`);
  if (json?.format !== 'tandem-ngram' || json.version !== 1) throw bad('format tandem-ngram, version 1', json?.format);
  const { order, vocabularySize, contexts = {} } = json;
  if (!Number.isSafeInteger(vocabularySize) || vocabularySize < 1) throw bad('a vocabularySize', vocabularySize);
  return { order, vocabularySize, counts: counted() };

  function* counted(): Generator<readonly [string, number, number]> {
    if (typeof contexts !== 'object' || contexts === null || Array.isArray(contexts)) throw bad('contexts', contexts);
    for (const [context, list] of Object.entries(contexts)) {
      if (!CONTEXT.test(context)) throw bad('token ids with commas between', context);
      if (!Array.isArray(list) || list.length % 2 > 0)
        throw bad(`pairs of token and count for ${quoted(context)}`, list);
      for (let i = 0; i < list.length; i += 2) {
        const [token, count] = [list[i], list[i + 1]];
        const known = Number.isInteger(token) && token >= 0 && token < vocabularySize;
        if (!known || !Number.isSafeInteger(count) || count < 1)
          throw bad(`a token and its count after ${quoted(context)}`, [token, count]);
        yield [context, token, count];
      }
    }
  }
}
