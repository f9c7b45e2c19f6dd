import type { ToWorker } from './messages';
import { Server } from './server';

/** The program of the worker in a page. `scripts/build.mjs` bundles it into text. The first message says that it has started. */
const scope = globalThis as unknown as Pick<Worker, 'postMessage' | 'onmessage'>;
const server = new Server((message) => scope.postMessage(message));
scope.onmessage = ({ data }: MessageEvent<ToWorker>) => server.receive(data);
scope.postMessage('started');
