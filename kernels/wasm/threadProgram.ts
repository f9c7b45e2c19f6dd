import { Serve } from './layout';

/** What a helping thread is told before it works. */
export interface ThreadAssignment {
  readonly module: WebAssembly.Module;
  /** Number of the thread, from 1 to `count` − 1. Thread 0 starts the jobs. */
  readonly index: number;
  /** Threads in all. */
  readonly count: number;
}

/** A helping thread. */
export interface Thread {
  /** Resolves once the program runs. Rejects when the thread was refused, with the reason. */
  readonly started: Promise<void>;
  /** Assigns the thread its work. To be called once, after it has started. */
  assign(assignment: ThreadAssignment): void;
  /** Gives the thread a memory to work in; the first one first. */
  give(memory: WebAssembly.Memory): void;
  /** Ends the thread. Resolves when it is gone. */
  end(): Promise<unknown>;
}

/**
 * The program of a helping thread. It has an instance of its own on every memory. `serve` returns the number of a memory to help
 * in, `Serve.needsMemory` to be given another memory, or `Serve.end`. After an error the thread returns the chunk that it was
 * computing, so that the first thread computes it, and ends.
 *
 * It is text, so that no bundler needs to know about it and nothing is fetched. The twins of `threads` add how messages arrive.
 */
export const PROGRAM = `
let assignment = null;
const banks = [];
function receive(message, end) {
  if (assignment === null) {
    assignment = message;
    return;
  }
  const { module, index, count } = assignment;
  const instance = new WebAssembly.Instance(module, { env: { memory: message } }).exports;
  instance.setThread(index, count, 1);
  banks.push(instance);
  try {
    for (;;) {
      const bank = banks[0].serve(banks.length);
      if (bank === ${Serve.end}) return end();
      if (bank === ${Serve.needsMemory}) return;
      if (banks[bank].helpHere()) banks[0].notIdle();
    }
  } catch (error) {
    for (const bank of banks) bank.returnChunk();
    end();
  }
}
`;
