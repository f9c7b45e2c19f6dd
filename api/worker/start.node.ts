import { Worker } from 'node:worker_threads';
import { TandemError } from '../../common';
import type { FromWorker, ToWorker } from './messages';

/** A worker that has started, seen from the thread that started it. */
export interface WorkerPort {
  /** @throws when the message has something that cannot be cloned */
  post(message: ToWorker): void;
  /** @param onEnd called once when the worker ends by itself or by an error */
  listen(onMessage: (message: FromWorker) => void, onEnd: (reason: Error) => void): void;
  /** Whether the worker keeps the process from ending. */
  keepAlive(alive: boolean): void;
  terminate(): Promise<void>;
}

/**
 * Starts the worker's program from its text.
 *
 * @param _backend Node's program finds every backend
 * @throws TandemError `unavailable`
 */
export async function startWorker(_backend?: string): Promise<WorkerPort> {
  const { PROGRAM } = await import('./program');
  if (PROGRAM === null) {
    throw new TandemError('unavailable', 'worker: expected the program of a build (npm run build), found the sources');
  }
  const from = typeof __filename === 'string' ? __filename : `${process.cwd()}/`;
  const worker = new Worker(PROGRAM, { eval: true, workerData: { from }, execArgv: [], name: 'tandem' });
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    listen: (onMessage, onEnd) => {
      worker.on('message', onMessage);
      worker.on('messageerror', (error) => onEnd(lost(error.message, error)));
      worker.on('error', (error) => onEnd(lost(error instanceof Error ? error.message : String(error), error)));
      worker.on('exit', (code) => onEnd(lost(`it ended with exit code ${code}`)));
    },
    keepAlive: (alive) => (alive ? worker.ref() : worker.unref()),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

function lost(found: string, cause?: unknown): TandemError {
  return new TandemError('device-lost', `worker: expected it to live until it is disposed, found ${found}`, { cause });
}
