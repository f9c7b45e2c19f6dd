import { PROGRAM, type Thread } from './threadProgram';

const START = `
onmessage = ({ data }) => receive(data, () => close());
postMessage('started');
`;

/** Why memory cannot be shared between threads here, or null. */
export function sharingRefused(): string | null {
  if (typeof SharedArrayBuffer !== 'undefined') return null;
  return 'the page may not share memory between threads (it is not cross-origin isolated: its server must send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)';
}

/**
 * Starts a Web Worker from the text of its program.
 *
 * @throws when the browser refuses to start one
 */
export function startThread(): Thread {
  const url = URL.createObjectURL(new Blob([PROGRAM + START], { type: 'text/javascript' }));
  const worker = new Worker(url);
  const started = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      // A content security policy that forbids the worker gives an event without a message.
      reject(
        new Error(event.message || 'the worker was refused (a content security policy must allow worker-src blob:)'),
      );
    };
  });
  return {
    started,
    assign: (assignment) => worker.postMessage(assignment),
    give: (memory) => worker.postMessage(memory),
    async end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
