import { readFile, stat } from 'node:fs/promises';
import { CommandError } from './failure';

/** One thing to decode: text, or the source ids themselves. */
export type Input = { readonly text: string } | { readonly ids: readonly number[] };

/** An input as the API takes it. */
export function sourceOf(input: Input): string | readonly number[] {
  return 'text' in input ? input.text : input.ids;
}

/** Inputs draw random numbers of their own; the first draws what it would draw alone. */
export function streamName(index: number): string {
  return index === 0 ? 'main' : `line ${index + 1}`;
}

export interface InputFlags {
  readonly file?: string;
  readonly ids?: readonly number[];
}

/** The most text that is read from a file or standard input at once: beyond any source a T5 can take. */
const MOST_BYTES = 64 << 20;

/** What is asked for on the command line: `--ids`, `--file`, words, or lines of standard input. Never empty. */
export async function readInputs(words: readonly string[], flags: InputFlags): Promise<Input[]> {
  const given = [words.length > 0 && 'TEXT', flags.file !== undefined && '--file', flags.ids !== undefined && '--ids'];
  const sources = given.filter((name) => name !== false);
  if (sources.length > 1) throw new CommandError(`expected one source of input, found ${sources.join(' and ')}`);
  if (flags.ids !== undefined) return [{ ids: flags.ids }];
  if (flags.file !== undefined) return lines(await fileText(flags.file), flags.file);
  if (words.length === 1 && words[0] === '-') return lines(await standardInput(), 'standard input');
  if (words.length > 0) return lines(words.join(' '), 'TEXT');
  if (process.stdin.isTTY) {
    throw new CommandError(
      'expected TEXT, --file, --ids, or text on standard input, found none (see tandem generate --help)',
    );
  }
  return lines(await standardInput(), 'standard input');
}

function lines(text: string, where: string): Input[] {
  const found = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  if (found.length === 0) throw new CommandError(`${where}: expected at least one line of text, found none`);
  return found.map((line) => ({ text: line }));
}

async function fileText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw new CommandError(`${path}: expected at most ${MOST_BYTES} bytes, found ${size}`);
    return utf8(await readFile(path), path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `${path}: expected a readable file, found ${(error as NodeJS.ErrnoException).code ?? error}`,
    );
  }
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new CommandError(`standard input: expected at most ${MOST_BYTES} bytes, found more`);
    chunks.push(chunk);
  }
  return utf8(Buffer.concat(chunks), 'standard input');
}

function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`${where}: expected UTF-8 text, found other bytes`);
  }
}
