import { parentPort } from 'node:worker_threads';
import type { ToWorker } from './messages';
import { Server } from './server';

/** The program of the worker in Node. `scripts/build.mjs` bundles it into text. */
if (parentPort) {
  const port = parentPort;
  const server = new Server((message) => port.postMessage(message));
  port.on('message', (message: ToWorker) => server.receive(message));
}
