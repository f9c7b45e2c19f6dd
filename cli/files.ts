import { createReadStream, type Stats } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErrorCode, fileKind, quoted } from '../common';
import { CommandError, systemCode } from './failure';

/** One line of a text: its number, from 1, and its text; or why it is no text. */
export type Line = { readonly number: number } & ({ readonly text: string } | { readonly error: CommandError });

type Chunks = AsyncIterable<Uint8Array>;

/** Bytes of a file that somebody named. Only a regular file is read: a device, a named pipe or a directory may never end. */
export async function openFile(path: string, signal: AbortSignal): Promise<Chunks> {
  await checkReadable(path);
  return failing(createReadStream(path, { signal }), path, signal);
}

/** Refuses a path that is no regular file. */
export async function checkReadable(path: string): Promise<void> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    const code = systemCode(error);
    throw new CommandError(code === 'ENOENT' ? 'not-found' : 'io-failed', unreadable(path, code));
  }
  if (found.isFile()) return;
  const hint = found.isFIFO() ? ' (its text can come on standard input)' : '';
  throw new CommandError('io-failed', unreadable(path, fileKind(found) + hint));
}

function unreadable(path: string, found: string): string {
  return `${quoted(path)}: expected a file that can be read, found ${found}`;
}

async function* failing(chunks: Chunks, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError('io-failed', unreadable(path, systemCode(error)));
  }
}

/** Standard input's bytes. Ends at once when the signal aborts, even where nothing more comes in. */
export async function* standardInput(signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const stop = () => process.stdin.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* process.stdin as Chunks;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export interface Limits {
  /** What the text is called in errors. */
  readonly where: string;
  /** Bytes of all lines together, and of one line. */
  readonly most: number;
  readonly longest: number;
  /** Number of lines. */
  readonly lines: number;
  /** Whether a line that is longer than `longest` carries an error, as one that is not UTF-8 does. Default: the reading ends. */
  readonly keepsOn?: boolean;
}

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

/**
 * Splits UTF-8 text into lines, which end with LF, CR LF or CR. A line that is not UTF-8 carries an error; the other lines are
 * unaffected. A byte order mark before the first line is removed.
 */
export async function* linesOf(chunks: Chunks, limits: Limits): AsyncGenerator<Line, void, void> {
  const { where, most, longest, keepsOn = false } = limits;
  let parts: Uint8Array[] = [];
  let length = 0;
  let total = 0;
  let number = 0;
  let afterReturn = false;
  const add = (part: Uint8Array) => {
    length += part.length;
    if (length > longest && !keepsOn) throw tooLong(`${where}: line ${number + 1}`, longest);
    if (length > longest) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const take = (): Line => {
    const bytes = Buffer.concat(parts);
    const isTooLong = length > longest;
    parts = [];
    length = 0;
    if (++number > limits.lines)
      throw new CommandError('argument-invalid', `${where}: expected at most ${limits.lines} lines, found more`);
    if (isTooLong) return { number, error: tooLong(`${where}: line ${number}`, longest, 'source-invalid') };
    return decoded(bytes, number, where);
  };
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > most) throw tooLong(where, most);
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) {
        afterReturn = false;
        continue;
      }
      const second = byte === LINE_FEED && afterReturn; // the LF of a CR LF
      if (!second) {
        add(chunk.subarray(start, i));
        yield take();
      }
      afterReturn = byte === CARRIAGE_RETURN;
      start = i + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

/** The whole of a text, in UTF-8. A byte order mark before it is removed. */
export async function wholeText(chunks: Chunks, { where, most }: Pick<Limits, 'where' | 'most'>): Promise<string> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > most) throw tooLong(where, most);
    parts.push(chunk);
  }
  const bytes = Buffer.concat(parts);
  refuseUtf16(bytes, where);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError('source-invalid', `${where}: expected UTF-8 text, found other bytes`);
  }
}

function refuseUtf16(bytes: Uint8Array, where: string): void {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new CommandError('argument-invalid', `${where}: expected UTF-8 text, found UTF-16`);
  }
}

function tooLong(what: string, most: number, code: ErrorCode = 'argument-invalid'): CommandError {
  return new CommandError(code, `${what}: expected at most ${most} bytes, found more`);
}

function decoded(bytes: Uint8Array, number: number, where: string): Line {
  if (number === 1) refuseUtf16(bytes, where);
  try {
    return { number, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: number > 1 }).decode(bytes) };
  } catch {
    const message = `${where}: line ${number}: expected UTF-8 text, found other bytes`;
    return { number, error: new CommandError('source-invalid', message) };
  }
}

/**
 * Refuses a path that nothing can be written to, before any work is done for it. A named pipe is refused because opening one waits
 * for a reader.
 */
export async function checkWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile() && !found.isCharacterDevice()) throw unwritable(path, fileKind(found));
  const folder = await stat(dirname(path)).catch((error) => systemCode(error));
  if (typeof folder === 'string') throw unwritable(path, folder);
}

/** Writes a file whole or not at all. @throws CommandError `io-failed` */
export async function writeText(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  try {
    const found = await stat(path).catch(() => null);
    if (found !== null && !found.isFile()) return await writeFile(path, text);
    await writeFile(partial, text);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw unwritable(path, systemCode(error));
  }
}

/** The error of a file that could not be written. */
export function unwritable(path: string, found: string): CommandError {
  return new CommandError('io-failed', `${quoted(path)}: expected a file that can be written, found ${found}`);
}
