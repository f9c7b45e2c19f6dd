import { closeSync, openSync, writeSync } from 'node:fs';
import type { Trace } from '../../decoding';
import { systemCode } from '../failure';
import { checkWritable, unwritable } from '../files';

/** A file of traces: one JSON object a line, written when its run has ended. */
export interface TraceFile {
  write(trace: Trace): void;
  close(): void;
}

/** Opens the file before anything is decoded, so that a file that cannot be written costs no run. */
export async function traceFile(path: string | undefined): Promise<TraceFile | null> {
  if (path === undefined) return null;
  await checkWritable(path);
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw unwritable(path, systemCode(error));
  }
  return {
    write: (trace) => {
      try {
        writeSync(file, `${JSON.stringify(trace)}\n`);
      } catch (error) {
        throw unwritable(path, systemCode(error));
      }
    },
    close: () => closeSync(file),
  };
}
