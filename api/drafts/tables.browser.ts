import { DecodingError, type NgramTable } from '../../decoding';
import { bodyUpTo } from '../sources/body';
import { MOST_TABLE_BYTES, parseTable } from './table-text';

/** As in Node, from an address: a page has no files. @throws DecodingError `option-invalid` */
export async function readTable(address: string): Promise<NgramTable> {
  const failed = (found: string) =>
    new DecodingError('option-invalid', `draft: expected an n-gram table at ${address}, found ${found}`);
  const answer = await fetch(address).catch((error: Error) => {
    throw failed(error.message);
  });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw failed(`HTTP ${answer.status}`);
  }
  const bytes = await bodyUpTo(MOST_TABLE_BYTES, answer).catch((error: Error) => {
    throw failed(`an answer that cannot be read (${error.message})`);
  });
  return parseTable(new TextDecoder().decode(bytes), address);
}
