import { Worker } from 'node:worker_threads';
import { PROGRAM, type Thread } from './threadProgram';

const START = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (message) => receive(message, () => parentPort.close()));
parentPort.postMessage('started');
`;

/** Why memory cannot be shared between threads here, or null. Node can always share it. */
export function sharingRefused(): string | null {
  return null;
}

/**
 * Starts a thread. Once it has started it does not keep the process alive.
 *
 * @throws when Node refuses to start one, as its permission model does without --allow-worker
 */
export function startThread(): Thread {
  const worker = new Worker(PROGRAM + START, { eval: true, execArgv: [] });
  const started = new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      worker.unref();
      resolve();
    });
    worker.on('error', reject); // stays: an error without a listener would end the process
    worker.once('exit', (code) => reject(new Error(`the thread ended with code ${code}`)));
  });
  return {
    started,
    assign: (assignment) => worker.postMessage(assignment),
    give: (memory) => worker.postMessage(memory),
    end: () => worker.terminate(),
  };
}
