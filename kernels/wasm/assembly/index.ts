/**
 * What JavaScript calls. A job's parameters are written to the control block first (`control.ts`); `run` computes it.
 */
import { activationChunk } from './activation';
import { appendRow, attendChunk } from './attention';
import { announce, assistWith, become, busy, forfeit, ring, serveWith, share, stop } from './control';
import { embedRow } from './embed';
import { argMaxRow, exponentialsChunk, largestChunk, topK } from './logits';
import { matmulChunk } from './matmul';
import { packPanel } from './pack';
import { prepareChunk } from './prepare';
import { probeDot, probeMadd } from './probe';
import { screen } from './screen';

export { announce, become, busy, forfeit, probeDot, probeMadd, ring, screen, stop, topK };

function execute(operation: i32, chunk: i32): void {
  switch (operation) {
    case 0:
      return matmulChunk(chunk);
    case 1:
      return prepareChunk(chunk);
    case 2:
      return attendChunk(chunk);
    case 3:
      return appendRow(chunk);
    case 4:
      return activationChunk(chunk);
    case 5:
      return embedRow(chunk);
    case 6:
      return packPanel(chunk);
    case 7:
      return argMaxRow(chunk);
    case 8:
      return largestChunk(chunk);
    case 9:
      return exponentialsChunk(chunk);
  }
}

/** Computes a job; `shared` lets the helping threads take part. */
export function run(operation: i32, chunks: i32, shared: bool): void {
  share(execute, operation, chunks, shared);
}

/** A helping thread's life in the first memory; see `serveWith` for what it returns. */
export function serve(known: i32): i32 {
  return serveWith(execute, known);
}

/** Helps in another memory; says whether there was something to do. */
export function assist(): bool {
  return assistWith(execute);
}
