import { readFile, stat } from 'node:fs/promises';
import { fileKind, quoted } from '../../common';
import { DecodingError, type NgramTable } from '../../decoding';
import { MOST_TABLE_BYTES, parseTable } from './table-text';

/** Reads a table that `tandem ngram build` wrote. @throws DecodingError `option-invalid` */
export async function readTable(file: string): Promise<NgramTable> {
  const failed = (found: string) =>
    new DecodingError('option-invalid', `draft: expected an n-gram table in ${quoted(file)}, found ${found}`);
  let text: string;
  try {
    const found = await stat(file);
    // Opening a named pipe would wait for its writer, and a device may have no end.
    if (!found.isFile()) throw failed(fileKind(found));
    if (found.size > MOST_TABLE_BYTES) throw failed(`${found.size} bytes, more than ${MOST_TABLE_BYTES}`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw error instanceof DecodingError ? error : failed((error as NodeJS.ErrnoException).code ?? String(error));
  }
  return parseTable(text, file);
}
