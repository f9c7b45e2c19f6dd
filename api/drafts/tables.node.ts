import { readFile, stat } from 'node:fs/promises';
import { parseShallowJson, quoted } from '../../common';
import { DecodingError, NgramTable } from '../../decoding';

/** Reads a table that `tandem ngram build` wrote. @throws DecodingError `option-invalid` */
export async function readTable(file: string): Promise<NgramTable> {
  const failed = (found: string) =>
    new DecodingError('option-invalid', `draft: expected an n-gram table in ${quoted(file)}, found ${found}`);
  let text: string;
  try {
    // Opening a pipe would wait for its writer, and a device may have no end.
    if (!(await stat(file)).isFile()) throw failed('no file: a directory, a pipe or a device');
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw error instanceof DecodingError ? error : failed((error as NodeJS.ErrnoException).code ?? String(error));
  }
  let value: unknown;
  try {
    value = parseShallowJson(text);
  } catch {
    throw new DecodingError('option-invalid', `${file}: expected JSON of an n-gram table, found other text`);
  }
  return NgramTable.fromJSON(value, file);
}
