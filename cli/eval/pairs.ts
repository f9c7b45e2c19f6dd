import { readFile } from 'node:fs/promises';
import { bundledPair } from '../../api';
import { quoted } from '../../common';
import { CommandError, oneLine } from '../failure';
import { type Limits, linesOf, openFile, standardInput } from '../files';

/** A source and the text that people wrote for it. */
export interface Pair {
  readonly source: string;
  readonly reference: string;
}

const MEGABYTE = 2 ** 20;
const LIMITS: Omit<Limits, 'where'> = { most: 256 * MEGABYTE, longest: MEGABYTE, lines: 1_000_000 };

/**
 * Pairs of a file of tab-separated values: a line is a source, a tab and a reference. `-` is standard input.
 *
 * @throws CommandError `source-invalid`, which names the first bad line and says how many there are
 */
export async function readPairs(path: string, signal: AbortSignal): Promise<Pair[]> {
  const [where, chunks] =
    path === '-' ? ['standard input', standardInput(signal)] : [path, await openFile(path, signal)];
  const pairs: Pair[] = [];
  const wrong: string[] = [];
  for await (const line of linesOf(chunks, { ...LIMITS, where })) {
    if ('error' in line) {
      wrong.push(oneLine(line.error));
      continue;
    }
    const fields = line.text.split('\t');
    const found = faultOf(fields);
    if (found === null) pairs.push({ source: fields[0], reference: fields[1] });
    else wrong.push(`${where}: line ${line.number}: expected a source, a tab and a reference, found ${found}`);
  }
  if (wrong.length > 0) {
    const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more lines like it)` : '';
    throw new CommandError('source-invalid', `${wrong[0]}${more}`);
  }
  if (pairs.length === 0) throw new CommandError('argument-invalid', `${where}: expected pairs, found none`);
  return pairs;
}

function faultOf(fields: readonly string[]): string | null {
  if (fields.length !== 2) return fields.length === 1 ? `no tab in ${quoted(fields[0])}` : `${fields.length} fields`;
  const empty = fields.findIndex((field) => field.trim() === '');
  return empty < 0 ? null : `an empty ${empty === 0 ? 'source' : 'reference'}`;
}

/** The held-out passages of the bundled pair. */
export async function bundledPairs(): Promise<Pair[]> {
  return JSON.parse(await readFile((await bundledPair()).heldOut, 'utf8')) as Pair[];
}
