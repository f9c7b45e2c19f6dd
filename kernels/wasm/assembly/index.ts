/**
 * The functions that JavaScript calls. It writes the parameters of a job to the control block first (`../layout.ts`), then
 * calls `run`.
 */
import { Operation } from '../layout';
import { activationChunk } from './activation';
import { appendRow, attendChunk } from './attention';
import { callThreads, help, notIdle, returnChunk, serveWith, setBankCount, setThread, share, stopThreads } from './control';
import { embedRow } from './embed';
import { arePlain, keepBlock } from './kept';
import { areScalesPlain, keepCodes } from './keptCodes';
import { SMALL } from './level';
import { argMaxRow, exponentialsChunk, largestChunk, topK } from './logits';
import { matmulChunk } from './matmul';
import { packPanel } from './pack';
import { prepareChunk } from './prepare';
import { probeDot, probeMadd } from './probe';
import { blockTops, largest32, largest64, softmax, uniforms, widen } from './sampling';
import { screen, screenTops } from './screen';

export { blockTops, largest32, largest64, softmax, uniforms, widen };
export { arePlain, areScalesPlain, callThreads, notIdle, probeDot, probeMadd, returnChunk, screen, screenTops, setBankCount, setThread, stopThreads, topK };

function execute(operation: i32, chunk: i32): void {
  switch (operation) {
    case Operation.matmul:
      return matmulChunk(chunk);
    case Operation.prepare:
      return prepareChunk(chunk);
    case Operation.keep:
      if (!SMALL) keepBlock(chunk);
      return;
    case Operation.keepCodes:
      if (!SMALL && ASC_FEATURE_RELAXED_SIMD) keepCodes();
      return;
    case Operation.attend:
      return attendChunk(chunk);
    case Operation.append:
      return appendRow(chunk);
    case Operation.activation:
      return activationChunk(chunk);
    case Operation.embed:
      return embedRow(chunk);
    case Operation.pack:
      return packPanel(chunk);
    case Operation.argMax:
      return argMaxRow(chunk);
    case Operation.largest:
      return largestChunk(chunk);
    case Operation.exponentials:
      return exponentialsChunk(chunk);
  }
}

/** Computes a job. With `shared`, the helping threads take part. */
export function run(operation: i32, chunks: i32, shared: bool): void {
  share(execute, operation, chunks, shared);
}

/** What a helping thread does in the first memory. `serveWith` says what is returned. */
export function serve(known: i32): i32 {
  return serveWith(execute, known);
}

/** Helps with the job of another memory. Returns whether there was something to do. */
export function helpHere(): bool {
  return help(execute);
}
