import { readFile } from 'node:fs/promises';
import { DecodingError, NgramTable } from '../../decoding';

/** Reads a table that `tandem ngram build` wrote. @throws DecodingError `option-invalid` */
export async function readTable(file: string): Promise<NgramTable> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new DecodingError('option-invalid', `draft: expected an n-gram table in ${file}, found ${found}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DecodingError('option-invalid', `${file}: expected JSON of an n-gram table, found other text`);
  }
  return NgramTable.fromJSON(value, file);
}
