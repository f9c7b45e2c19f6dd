import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** What a helping thread needs to begin. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  /** Which of `count` threads it is. */
  readonly index: number;
  readonly count: number;
}

/** A helping thread. It works in the memories it was given, the first of them first. */
export interface Thread {
  give(memory: WebAssembly.Memory): void;
  /** Ends it; resolves when it is gone. */
  end(): Promise<unknown>;
}

/**
 * The whole program of a helping thread: an instance of its own on every memory. `serve` returns the number of a memory
 * to help in, −1 to be given another memory, −2 to end (`assembly/control.ts`). A thread that fails gives its chunk back, and
 * ends.
 */
export const PROGRAM = `
const banks = [];
function take({ module, index, count }, memory, end) {
  const instance = new WebAssembly.Instance(module, { env: { memory } }).exports;
  instance.become(index, count, 1);
  banks.push(instance);
  try {
    for (;;) {
      const bank = banks[0].serve(banks.length);
      if (bank === -2) return end();
      if (bank === -1) return;
      if (banks[bank].assist()) banks[0].busy();
    }
  } catch (error) {
    for (const bank of banks) bank.forfeit();
    end();
  }
}
`;

const START = `
const { parentPort, workerData } = require('node:worker_threads');
parentPort.on('message', (memory) => take(workerData, memory, () => parentPort.close()));
`;

/** Cores that this process may use. */
export function coreCount(): number {
  return availableParallelism();
}

/** Starts a thread that keeps no process alive. One that fails to start only leaves the work to the others. */
export function startThread(start: ThreadStart): Thread {
  const worker = new Worker(PROGRAM + START, { eval: true, workerData: start, execArgv: [] });
  worker.on('error', () => undefined);
  worker.unref();
  return { give: (memory) => worker.postMessage(memory), end: () => worker.terminate() };
}
