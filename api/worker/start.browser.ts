import { TandemError } from '../../common';
import type { FromWorker } from './messages';
import type { WorkerPort } from './start.node';

export type { WorkerPort } from './start.node';

/** As in Node, from a Blob with the program's text: nothing is fetched, so any bundler and any path will do. */
export async function startWorker(backend?: string): Promise<WorkerPort> {
  const { PROGRAM } = await (backend === 'gpu' ? import('./program-gpu') : import('./program'));
  if (PROGRAM === null) throw unavailable('the sources in place of a build');
  const url = URL.createObjectURL(new Blob([PROGRAM], { type: 'text/javascript' }));
  const worker = create(url);
  await hasStarted(worker, url);
  return {
    post: (message) => worker.postMessage(message),
    listen: (onMessage, onEnd) => {
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => onMessage(data);
      worker.onmessageerror = () => onEnd(lost('a message that cannot be read'));
      worker.onerror = (event) => {
        event.preventDefault();
        onEnd(lost(event.message));
      };
    },
    keepAlive: () => undefined,
    terminate: async () => worker.terminate(),
  };
}

function create(url: string): Worker {
  try {
    return new Worker(url, { name: 'tandem' });
  } catch (error) {
    URL.revokeObjectURL(url);
    throw unavailable((error as Error).message);
  }
}

/** Waits for the first message of the program. A page whose policy forbids the worker gets an error event in its place. */
function hasStarted(worker: Worker, url: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(unavailable(event.message || 'that the page may not start one'));
    };
  }).finally(() => URL.revokeObjectURL(url));
}

function unavailable(found: string): TandemError {
  return new TandemError(
    'unavailable',
    `worker: expected a worker to start, found ${found}; a Content-Security-Policy must allow worker-src blob:`,
  );
}

function lost(found: string): TandemError {
  return new TandemError('device-lost', `worker: expected it to live until it is disposed, found ${found}`);
}
