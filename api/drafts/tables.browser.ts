import { DecodingError, NgramTable } from '../../decoding';

/** As in Node, from an address: a page has no files. @throws DecodingError `option-invalid` */
export async function readTable(address: string): Promise<NgramTable> {
  const answer = await fetch(address).catch((error: Error) => {
    throw new DecodingError('option-invalid', `draft: expected an n-gram table at ${address}, found ${error.message}`);
  });
  if (!answer.ok) {
    const found = `HTTP ${answer.status}`;
    throw new DecodingError('option-invalid', `draft: expected an n-gram table at ${address}, found ${found}`);
  }
  let value: unknown;
  try {
    value = await answer.json();
  } catch {
    throw new DecodingError('option-invalid', `${address}: expected JSON of an n-gram table, found other text`);
  }
  return NgramTable.fromJSON(value, address);
}
