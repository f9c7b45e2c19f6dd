import { closeSync, openSync, writeSync } from 'node:fs';
import type { Trace } from '../decoding';
import { CommandError } from './failure';

/** Where traces go: one JSON object a line, each written whole as its run ends. */
export interface TraceFile {
  write(trace: Trace): void;
  close(): void;
}

/** Opens the file before anything is decoded, so that one which cannot be written costs no run. */
export function traceFile(path: string | undefined): TraceFile | null {
  if (path === undefined) return null;
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CommandError(`--trace ${path}: expected a file that can be written, found ${found}`);
  }
  return {
    write: (trace) => {
      writeSync(file, `${JSON.stringify(trace)}\n`);
    },
    close: () => closeSync(file),
  };
}
