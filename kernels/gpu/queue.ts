import { KernelError } from '../errors';
import type { Content, GpuDevice, View } from './device';

/** A place for a content that kernels replace: what a box holds on the device, or why it holds nothing. */
export interface Holder {
  content: Content | null;
  fault: KernelError | null;
}

export function holder(): Holder {
  return { content: null, fault: null };
}

/** Turns whatever gpu.js or the driver threw into the closed set of errors. */
export function kernelError(error: unknown, level: string): KernelError {
  if (error instanceof KernelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = /device was lost|context lost/i.test(message)
    ? 'device-lost'
    : /larger than (maximum|supported) size|per storage buffer|out of memory/i.test(message)
      ? 'out-of-memory'
      : 'compile-failed';
  return new KernelError(code, `gpu (${level}): ${message}`);
}

/**
 * Calls in program order. Kernels return at once and their work waits here, since gpu.js answers on WebGPU with
 * promises. A failure stays with the box that it should have filled, passes on to what is computed from it, and
 * surfaces at the first read.
 */
export class GpuQueue {
  private tail: Promise<void> = Promise.resolve();

  constructor(readonly device: GpuDevice) {}

  /** Runs `work` after everything before it. It must not throw. */
  enqueue(work: () => void | Promise<void>): void {
    this.tail = this.tail.then(work);
  }

  /**
   * Replaces what a holder has by what `work` makes. The old content goes first, so that its kernel can run again;
   * with `from` old it stays until the new one is there.
   */
  produce(out: Holder, work: () => Content | Promise<Content>, from: 'nothing' | 'old' = 'nothing'): void {
    this.enqueue(async () => {
      const old = out.content;
      if (from === 'nothing') release(out);
      try {
        out.content = await work();
        out.fault = null;
        if (from === 'old') old?.release();
      } catch (error) {
        release(out);
        out.fault = kernelError(error, this.device.level);
      }
    });
  }

  upload(out: Holder, values: Float32Array): void {
    this.produce(out, () => this.device.upload(values));
  }

  drop(out: Holder): void {
    this.enqueue(() => release(out));
  }

  /** The values of a holder as they are at this point of the program. */
  read(from: Holder): Promise<Float32Array> {
    return this.ask(() => this.device.read(held(from)));
  }

  /** Like `read`, of what `work` makes for this once. */
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

  /** Everything up to here has been handed to the device. */
  settled(): Promise<void> {
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

/** What a holder has; throws what kept it from having it. */
export function held(from: Holder): Content {
  if (from.content !== null) return from.content;
  throw from.fault ?? new KernelError('argument-invalid', 'gpu: expected a box that holds values, found an empty one');
}

/** A holder's content as an array of as many dimensions as `shape` and one more; see `View`. */
export function view(from: Holder, ...shape: number[]): View {
  return { content: held(from), shape };
}
