import type { Thread, ThreadStart } from './threads.node';

export type { Thread, ThreadStart } from './threads.node';

/** See threads.node.ts; this file replaces that one, so it carries the program too. */
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
onmessage = ({ data: [start, memory] }) => take(start, memory, () => close());
`;

export function coreCount(): number {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a Web Worker from the program's text: nothing is fetched, so any bundler and path will do. */
export function startThread(start: ThreadStart): Thread {
  const url = URL.createObjectURL(new Blob([PROGRAM + START], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onerror = (event) => event.preventDefault();
  return {
    give: (memory) => worker.postMessage([start, memory]),
    async end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
