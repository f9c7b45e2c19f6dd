import { CommandError } from '../failure';
import { type Line, linesOf, openFile, standardInput, wholeText } from '../files';

/**
 * One line of what was given, or the whole of it. `line` counts lines from 1, and `index` counts those that are not blank from 0.
 * A line that is not UTF-8 has an error in place of a source.
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
  /** Each line is an input. */
  readonly file?: string;
  /** The whole is one input; `-` is standard input. */
  readonly document?: string;
  readonly ids?: readonly number[];
}

/** The most text that is read at once, in bytes. */
const MOST_BYTES = 64 << 20;
/** The most lines. Each takes memory of its own, even where it is blank. */
const MOST_LINES = 1 << 20;
/** The longest line, in bytes: far more text than the sources that T5 was trained on (512 tokens). */
const LONGEST_LINE = 1 << 20;

/**
 * Reads what is to be decoded: `--ids`, `--file`, `--document`, the words of the command, or standard input. The words are one
 * input, and so is a document; in a file and in standard input each line is one. There is at least one that is not blank.
 */
export async function readInputs(
  words: readonly string[],
  flags: InputFlags,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const { file, document, ids } = flags;
  const given = { TEXT: words[0], '--file': file, '--document': document, '--ids': ids };
  const sources = Object.keys(given).filter((name) => given[name as keyof typeof given] !== undefined);
  if (sources.length > 1) {
    throw new CommandError('argument-invalid', `expected one source of input, found ${sources.join(' and ')}`);
  }
  if (ids !== undefined) return [{ kind: 'input', index: 0, line: 1, source: ids }];
  if (file !== undefined) return inputsOf(await openFile(file, signal), file);
  if (document === '-') return documentOf(standardInput(signal), 'standard input');
  if (document !== undefined) return documentOf(await openFile(document, signal), document);
  const dash = words.length === 1 && words[0] === '-';
  if (words.length > 0 && !dash) return [oneInput(words.join(' '), 'TEXT')];
  if (!dash && process.stdin.isTTY) {
    const expected = 'expected TEXT, --file, --document, --ids, or text on standard input';
    throw new CommandError('argument-invalid', `${expected}, found none (see tandem generate --help)`);
  }
  return inputsOf(standardInput(signal), 'standard input');
}

/** Texts as inputs, one a line. */
export function textInputs(texts: readonly string[]): readonly Item[] {
  return texts.map((source, index) => ({ kind: 'input', index, line: index + 1, source }));
}

function oneInput(text: string, where: string): Item {
  if (text.trim() !== '') return { kind: 'input', index: 0, line: 1, source: text };
  throw new CommandError('argument-invalid', `${where}: expected text, found none`);
}

async function documentOf(chunks: AsyncIterable<Uint8Array>, where: string): Promise<readonly Item[]> {
  return [oneInput(await wholeText(chunks, { where, most: MOST_BYTES }), where)];
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
