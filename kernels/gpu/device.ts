import type { KernelError } from '../errors';

/** What gpu.js runs on. `cpu` is its JavaScript fallback: for tests, not for speed. */
export type GpuLevel = 'webgpu' | 'webgl2' | 'headlessgl' | 'cpu';

/** What a device did since it was made. Small uploads (ids, plans) count as uploads; weights do too, once each. */
export interface GpuCounters {
  uploads: number;
  uploadedBytes: number;
  readbacks: number;
  readbackBytes: number;
  launches: number;
  /** Kernels compiled so far. */
  compiled: number;
}

/** One gpu.js kernel: its text and what is baked into it. Programs with the same key are the same. */
export interface Program {
  readonly key: string;
  /** A JavaScript function as gpu.js reads it; text, since a minifier or a coverage tool must not touch it. */
  readonly source: string;
  /** Arrays first, then whole numbers (`int`) and numbers (`float`), in the function's order. */
  readonly args: readonly ('array' | 'int' | 'float')[];
  /** Loop bounds: gpu.js stops a loop over an argument at 1,000 rounds, one over a constant never. */
  readonly constants: Readonly<Record<string, number>>;
}

/** Float32 values that live on the device. Whoever holds one releases it once. */
export interface Content {
  readonly length: number;
  release(): void;
}

/** An array argument: a content as [length], [rows, width] or [layers, height, width]. */
export interface View {
  readonly content: Content;
  /** [], [width] or [width, height]. */
  readonly shape: readonly number[];
}

export type Argument = View | number;

/** A machine that runs gpu.js kernels one after the other, in the order they were given. */
export interface GpuDevice {
  readonly level: GpuLevel;
  /** What the driver calls itself. */
  readonly description: string;
  /** The most values one content may hold. */
  readonly maxValues: number;
  readonly counters: GpuCounters;
  upload(values: Float32Array): Content;
  /** Runs a program over `length` threads. Its arguments may be released once this has settled. */
  launch(program: Program, length: number, args: readonly Argument[]): Promise<Content>;
  /** Starts a read of what the content holds now; the promise is the values. */
  read(content: Content): Promise<Float32Array>;
  /** An error that the device reported on its own since the last call. */
  takeFailure(): KernelError | null;
  dispose(): Promise<void>;
}

/**
 * Threads are counted in float32 when gpu.js divides, so a launch may not have more than what float32 counts exactly.
 * 2²⁴ values are 64 MiB, half of the smallest buffer limit in WebGPU, and a 2048 × 2048 texture of four channels.
 */
export const MAX_VALUES = 2 ** 24;
