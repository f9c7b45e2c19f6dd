import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLED } from './command';

/** Erases a screen, sets a title, turns the writing direction: what a terminal must never get from a model. */
export const ESCAPES = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202e\r\b';

/** All control characters and marks of direction, but not a tab and a line's end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this expression is for
export const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Makes a copy of the bundled draft with escape sequences in every piece of text, in its metadata and in a tensor's name. */
export function hostileCheckpoint(directory: string): void {
  cpSync(BUNDLED.draft, directory, { recursive: true, filter: (path) => !path.endsWith('spiece.model') });
  const tokenizerFile = join(directory, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(tokenizerFile, 'utf8')) as { model: { vocab: [string, number][] } };
  for (const piece of tokenizer.model.vocab.slice(3)) piece[0] += ESCAPES; // 0 to 2 are pad, end and unknown
  writeFileSync(tokenizerFile, JSON.stringify(tokenizer));
  const weightsFile = join(directory, 'model.safetensors');
  const bytes = readFileSync(weightsFile);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, end).toString()) as Record<string, object>;
  const size = bytes.length - end;
  header.__metadata__ = { [`key${ESCAPES}`]: `value${ESCAPES}` };
  header[`tensor${ESCAPES}`] = { dtype: 'F32', shape: [0], data_offsets: [size, size] };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(weightsFile, Buffer.concat([length, text, bytes.subarray(end)]));
}
