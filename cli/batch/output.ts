import { once } from 'node:events';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { quoted } from '../../common';
import { CommandError, systemCode } from '../failure';
import { checkWritable, unwritable } from '../files';

/** The last record that an earlier run finished. */
export interface LastRecord {
  readonly line: number;
  readonly hash: string;
}

/** Where records go. */
export interface Output {
  /** Null where nothing is there from before. */
  readonly last: LastRecord | null;
  /** @throws CommandError `io-failed` */
  write(record: string): Promise<void>;
  close(): void;
}

export function standardOutput(): Output {
  return {
    last: null,
    write: async (record) => {
      if (!process.stdout.write(record)) await once(process.stdout, 'drain');
    },
    close: () => undefined,
  };
}

const LINE_FEED = 0x0a;
const BLOCK = 1 << 16;

/**
 * A file that an earlier run may have begun. Its finished lines are kept; what stands after the last line feed is of a record that
 * a kill cut off, and is removed. A record is given to the operating system whole, so that a kill of the process loses none that
 * was written.
 *
 * @throws CommandError `io-failed`; `source-invalid` for a file that no batch has written
 */
export async function outputFile(path: string): Promise<Output> {
  await checkWritable(path);
  let file: number;
  try {
    file = openSync(path, 'a+');
  } catch (error) {
    throw unwritable(path, systemCode(error));
  }
  try {
    if (!fstatSync(file).isFile()) return fileOutput(file, path, null);
    const found = fstatSync(file).size;
    const end = lineFeedBefore(file, found) + 1;
    const last = end === 0 ? null : lastRecord(path, textBetween(file, lineFeedBefore(file, end - 1) + 1, end));
    if (last === null && found > 0) refuseForeign(path, textBetween(file, 0, Math.min(found, BLOCK)));
    ftruncateSync(file, end);
    return fileOutput(file, path, { last, end });
  } catch (error) {
    closeSync(file);
    throw error instanceof CommandError ? error : unwritable(path, systemCode(error));
  }
}

/** @param begun what is there already, and where it ends; null for a device, which has no end */
function fileOutput(file: number, path: string, begun: { last: LastRecord | null; end: number } | null): Output {
  let end = begun?.end ?? 0;
  return {
    last: begun?.last ?? null,
    write: async (record) => {
      const bytes = Buffer.from(record);
      try {
        if (begun !== null && fstatSync(file).size !== end) throw anotherWriter(path, end, fstatSync(file).size);
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      } catch (error) {
        throw error instanceof CommandError ? error : unwritable(path, systemCode(error));
      }
      end += bytes.length;
    },
    close: () => closeSync(file),
  };
}

function anotherWriter(path: string, expected: number, found: number): CommandError {
  const why = 'another process writes to it or has cut it';
  return new CommandError(
    'io-failed',
    `${quoted(path)}: expected the ${expected} bytes that this run has written, found ${found}: ${why}`,
  );
}

/** Whether two paths are one file. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

/** Place of the last line feed before `end`; -1 for none. */
function lineFeedBefore(file: number, end: number): number {
  for (let stop = end; stop > 0; stop -= BLOCK) {
    const start = Math.max(0, stop - BLOCK);
    const found = bytesBetween(file, start, stop).lastIndexOf(LINE_FEED);
    if (found >= 0) return start + found;
  }
  return -1;
}

function bytesBetween(file: number, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(file, bytes, done, bytes.length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return bytes;
}

function textBetween(file: number, start: number, end: number): string {
  return bytesBetween(file, start, end).toString('utf8');
}

function lastRecord(path: string, text: string): LastRecord {
  try {
    const { line, hash } = JSON.parse(text) as LastRecord;
    if (Number.isSafeInteger(line) && typeof hash === 'string') return { line, hash };
  } catch {
    // is told below
  }
  throw foreign(path, text);
}

const START = '{"line":';

/** A file without a whole line is ours only where it is the beginning of a record: another file is never cut. */
function refuseForeign(path: string, text: string): void {
  if (!text.startsWith(START.slice(0, text.length))) throw foreign(path, text);
}

function foreign(path: string, text: string): CommandError {
  return new CommandError(
    'source-invalid',
    `${quoted(path)}: expected records of tandem batch, found ${quoted(text.trim())}; name another file`,
  );
}
