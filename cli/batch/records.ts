import { createHash } from 'node:crypto';
import { GENERATE_OPTIONS, type GenerateOptions, type Input, type Result } from '../../api';
import { checkOptions, type OptionTable, parseShallowJson, quoted, TandemError } from '../../common';
import { NOT_FOLLOWED } from '../../decoding';
import { CommandError, oneLine } from '../failure';
import type { Line } from '../files';
import { jsonLine } from '../terminal';

/** One line of the input, read. */
export interface Job {
  /** Number of the line in the whole input, from 1. */
  readonly line: number;
  /** What the line calls itself; null where it says nothing. */
  readonly id: Id | null;
  /** Which line and which settings the record is of. */
  readonly hash: string;
  readonly work: Work | TandemError;
}

type Id = string | number;

/** What a line asks for. */
export interface Work {
  readonly input: Input;
  /** The line's own options. They stand before those of the command. */
  readonly options: GenerateOptions;
}

/** Options that a line cannot set, and why. */
const NOT_OF_A_LINE: Readonly<Record<string, string>> = {
  concurrency: 'it is of the whole run; give --concurrency',
  sequence: 'the id names the sequence',
  signal: 'it is no data',
  trace: 'it is no data',
  processors: 'they are no data',
  prefixAllowedTokens: 'it is no data',
};

/** Options that a line may set. */
export const LINE_OPTIONS: OptionTable = Object.fromEntries(
  Object.entries(GENERATE_OPTIONS).filter(([name]) => !Object.hasOwn(NOT_OF_A_LINE, name)),
);

const REFUSED = { ...NOT_FOLLOWED, ...NOT_OF_A_LINE };

const EXPECTED = 'JSON: text, token ids, or an object with input and perhaps id and options';

/**
 * Reads a line. What is wrong with it is kept for its record.
 *
 * @param settings see `settingsText`
 */
export function jobOf(line: Line, settings: string): Job {
  const { number } = line;
  const place = { line: number, id: null, hash: hashOf('text' in line ? line.text : '', settings) };
  if ('error' in line) return { ...place, work: line.error };
  let value: unknown;
  try {
    value = parseShallowJson(line.text);
  } catch {
    return { ...place, work: refused(number, EXPECTED, line.text) };
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const fields = (isObject ? value : { input: value }) as Record<string, unknown>;
  const id = isId(fields.id) ? fields.id : null;
  try {
    return { ...place, id, work: workOf(number, fields) };
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    return { ...place, id, work: error };
  }
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

const FIELDS = ['id', 'input', 'options'];

/** @throws CommandError `source-invalid`; TandemError `option-invalid` */
function workOf(number: number, fields: Record<string, unknown>): Work {
  const { id, input, options = {} } = fields;
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw refused(number, `the members ${FIELDS.join(', ')}`, unknown);
  if (id !== undefined && id !== null && !isId(id)) {
    throw refused(number, `text or a whole number below 2^53 as id`, id);
  }
  const isIds = Array.isArray(input) && input.length > 0 && input.every((token) => Number.isSafeInteger(token));
  if (typeof input !== 'string' && !isIds) throw refused(number, 'text or token ids as input', input);
  checkOptions(options, LINE_OPTIONS, `line ${number}: options`, REFUSED);
  return { input: input as Input, options: options as GenerateOptions };
}

function refused(line: number, expected: string, found: unknown): CommandError {
  return new CommandError('source-invalid', `line ${line}: expected ${expected}, found ${quoted(found)}`);
}

function hashOf(text: string, settings: string): string {
  return createHash('sha256').update(settings).update('\0').update(text).digest('hex').slice(0, 16);
}

/** What fixes the records beside their lines: the models and the options in force. */
export function settingsText(names: readonly (string | null)[], options: GenerateOptions): string {
  return JSON.stringify([names, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** One line of the output. */
export function recordOf({ line, id, hash }: Job, outcome: Result | Error): string {
  const place = { line, ...(id !== null && { id }), hash };
  if (outcome instanceof Error) {
    const code = outcome instanceof TandemError ? outcome.code : null;
    return jsonLine({ ...place, error: { code, message: oneLine(outcome) } });
  }
  const { text, ids, stopReason, sequences } = outcome;
  const { logProbs } = sequences[0];
  const more = sequences.length > 1 ? { sequences } : logProbs ? { logProbs } : {};
  return jsonLine({ ...place, text, ids, stopReason, ...more });
}
