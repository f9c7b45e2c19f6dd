import type { Thread, ThreadStart } from './threads.node';

export type { Thread, ThreadStart } from './threads.node';

const PROGRAM = `
onmessage = ({ data: { module, memory, index, count } }) => {
  const { become, serve } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  become(index, count, 1);
  serve();
  close();
};
`;

export function coreCount(): number {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a Web Worker from the program's text: nothing is fetched, so any bundler and path will do. */
export function startThread(start: ThreadStart): Thread {
  const url = URL.createObjectURL(new Blob([PROGRAM], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onerror = (event) => event.preventDefault();
  worker.postMessage(start);
  return {
    async end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
