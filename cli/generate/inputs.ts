import { CommandError } from '../failure';
import { type Line, linesOf, openFile, standardInput } from '../files';

/**
 * One line of what was given. `line` counts lines from 1, and `index` counts those that are not blank from 0. A line that is
 * not UTF-8 has an error in place of a source.
 */
export type Item = Input | BrokenLine | BlankLine;

export interface Input {
  readonly kind: 'input';
  readonly index: number;
  readonly line: number;
  /** Text, or the source ids. */
  readonly source: string | readonly number[];
}

export interface BrokenLine {
  readonly kind: 'broken';
  readonly index: number;
  readonly line: number;
  readonly error: CommandError;
}

export interface BlankLine {
  readonly kind: 'blank';
  readonly line: number;
}

export interface InputFlags {
  readonly file?: string;
  readonly ids?: readonly number[];
}

/** The most text that is read at once, in bytes. */
const MOST_BYTES = 64 << 20;
/** The most lines. Each takes memory of its own, even where it is blank. */
const MOST_LINES = 1 << 20;
/** The longest line, in bytes: far more text than the sources that T5 was trained on (512 tokens). */
const LONGEST_LINE = 1 << 20;

/**
 * Reads what is to be decoded: `--ids`, `--file`, the words of the command, or standard input. There is at least one line
 * that is not blank.
 */
export async function readInputs(
  words: readonly string[],
  flags: InputFlags,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const { file, ids } = flags;
  const given = [words.length > 0 && 'TEXT', file !== undefined && '--file', ids !== undefined && '--ids'];
  const sources = given.filter((name) => name !== false);
  if (sources.length > 1) {
    throw new CommandError('argument-invalid', `expected one source of input, found ${sources.join(' and ')}`);
  }
  if (ids !== undefined) return [{ kind: 'input', index: 0, line: 1, source: ids }];
  if (file !== undefined) return inputsOf(await openFile(file, signal), file);
  const dash = words.length === 1 && words[0] === '-';
  if (words.length > 0 && !dash) return inputsOf(bytesOf(words.join(' ')), 'TEXT');
  if (!dash && process.stdin.isTTY) {
    const expected = 'expected TEXT, --file, --ids, or text on standard input';
    throw new CommandError('argument-invalid', `${expected}, found none (see tandem generate --help)`);
  }
  return inputsOf(standardInput(signal), 'standard input');
}

/** Texts as inputs, one a line. */
export function textInputs(texts: readonly string[]): readonly Item[] {
  return texts.map((source, index) => ({ kind: 'input', index, line: index + 1, source }));
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield new TextEncoder().encode(text);
}

async function inputsOf(chunks: AsyncIterable<Uint8Array>, where: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  let index = 0;
  const limits = { where, most: MOST_BYTES, longest: LONGEST_LINE, lines: MOST_LINES };
  for await (const line of linesOf(chunks, limits)) {
    const item = itemOf(line, index);
    if (item.kind !== 'blank') index++;
    items.push(item);
  }
  if (index === 0) {
    throw new CommandError('argument-invalid', `${where}: expected at least one line of text, found none`);
  }
  return items;
}

function itemOf(line: Line, index: number): Item {
  const { number } = line;
  if ('error' in line) return { kind: 'broken', index, line: number, error: line.error };
  if (line.text.trim() === '') return { kind: 'blank', line: number };
  return { kind: 'input', index, line: number, source: line.text };
}
