import { KernelError } from '../errors';
import type { Content, GpuDevice, View } from './device';

/** What a box has on the device: a content that kernels replace, or the error because of which it has none. */
export interface Holder {
  content: Content | null;
  fault: KernelError | null;
}

export function createHolder(): Holder {
  return { content: null, fault: null };
}

/** Turns an error of gpu.js or of the driver into a `KernelError`. */
export function kernelError(error: unknown, level: string): KernelError {
  if (error instanceof KernelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KernelError(codeOf(message), `gpu (${level}): ${message}`, { cause: error });
}

function codeOf(message: string): 'device-lost' | 'out-of-memory' | 'compile-failed' {
  if (/device was lost|context lost/i.test(message)) return 'device-lost';
  const isFull = /larger than (maximum|supported) size|per storage buffer|out of memory/i.test(message);
  return isFull ? 'out-of-memory' : 'compile-failed';
}

/**
 * Runs the work of kernel calls in program order. Kernel calls return at once, but on WebGPU gpu.js answers with promises, so
 * their work waits here. An error stays with the box that the work should have filled. It passes on to every box that is
 * computed from that one, and it is thrown by the first read.
 */
export class GpuQueue {
  /** Resolves when all enqueued work has run. */
  private tail: Promise<void> = Promise.resolve();

  constructor(readonly device: GpuDevice) {}

  /** Runs `work` after everything that was enqueued before. It must not throw. */
  enqueue(work: () => void | Promise<void>): void {
    this.tail = this.tail.then(work);
  }

  /**
   * Replaces the content of a holder by the result of `work`.
   *
   * @param reads - 'nothing' releases the old content before the work, so that its kernel can run again; 'old' keeps it until
   * the work, which reads it, is done
   */
  produce(out: Holder, work: () => Content | Promise<Content>, reads: 'nothing' | 'old' = 'nothing'): void {
    this.enqueue(async () => {
      const old = out.content;
      if (reads === 'nothing') release(out);
      try {
        out.content = await work();
        out.fault = null;
        if (reads === 'old') old?.release();
      } catch (error) {
        release(out);
        out.fault = kernelError(error, this.device.level);
      }
    });
  }

  upload(out: Holder, values: Float32Array): void {
    this.produce(out, () => this.device.upload(values));
  }

  /** Releases the content of a holder. */
  drop(out: Holder): void {
    this.enqueue(() => release(out));
  }

  /** The values that a holder has at this point of the program. */
  read(from: Holder): Promise<Float32Array> {
    return this.ask(() => this.device.read(contentOf(from)));
  }

  /** Reads the result of `work` and releases it. */
  readOnce(work: () => Promise<Content>): Promise<Float32Array> {
    return this.ask(async () => {
      const content = await work();
      try {
        return await this.device.read(content);
      } finally {
        content.release();
      }
    });
  }

  /** Resolves when all work that was enqueued before has been given to the device. */
  drained(): Promise<void> {
    return this.tail;
  }

  private async ask(work: () => Promise<Float32Array>): Promise<Float32Array> {
    const outcome: { values?: Float32Array; error?: KernelError } = {};
    this.enqueue(async () => {
      try {
        outcome.values = await work();
      } catch (error) {
        outcome.error = kernelError(error, this.device.level);
      }
    });
    await this.tail;
    const failure = this.device.takeFailure();
    if (outcome.error ?? failure) throw outcome.error ?? failure;
    return outcome.values as Float32Array;
  }
}

function release(out: Holder): void {
  out.content?.release();
  out.content = null;
}

/** The content of a holder. Throws the error because of which there is none. */
export function contentOf(from: Holder): Content {
  if (from.content !== null) return from.content;
  throw from.fault ?? new KernelError('argument-invalid', 'gpu: expected a box that holds values, found an empty one');
}

/** The content of a holder as an array with one dimension more than `shape`; see `View`. */
export function view(from: Holder, ...shape: number[]): View {
  return { content: contentOf(from), shape };
}
