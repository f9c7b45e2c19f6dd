import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** What a helping thread needs to begin. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  readonly count: number;
}

/** A helping thread. */
export interface Thread {
  /** Ends it; resolves when it is gone. */
  end(): Promise<unknown>;
}

/** The whole program of a helping thread: an instance of its own on the shared memory. */
const PROGRAM = `
const { module, memory, index, count } = require('node:worker_threads').workerData;
const { become, serve } = new WebAssembly.Instance(module, { env: { memory } }).exports;
become(index, count, 1);
serve();
`;

/** Cores that this process may use. */
export function coreCount(): number {
  return availableParallelism();
}

/** Starts a thread that keeps no process alive. One that fails to start only leaves the work to the others. */
export function startThread(start: ThreadStart): Thread {
  const worker = new Worker(PROGRAM, { eval: true, workerData: start, execArgv: [], stdout: false, stderr: false });
  worker.on('error', () => undefined);
  worker.unref();
  return { end: () => worker.terminate() };
}
