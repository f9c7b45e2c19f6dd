import type { MeasuredKernel } from '../../protocol';

/** A kernel on the roofline. */
export interface Point {
  readonly name: string;
  readonly rows: number;
  /** Operations for each byte that must be read or written. */
  readonly intensity: number;
  /** GFLOP/s. */
  readonly speed: number;
}

/** What no kernel passes: so many bytes, and so many operations. */
export interface Roof {
  /** GB/s */
  readonly bandwidth: number;
  /** GFLOP/s */
  readonly peak: number;
}

/**
 * Where kernels lie on a roofline (Williams, Waterman and Patterson, CACM 52(4), 2009). The roof is the best that any of these
 * kernels reached, in bytes and in operations, so none lies above it.
 */
export function rooflineOf(kernels: readonly MeasuredKernel[]): {
  readonly points: readonly Point[];
  readonly roof: Roof;
} {
  const points = kernels.map(({ name, rows, operations, bytes, milliseconds }) => ({
    name,
    rows,
    intensity: operations / bytes,
    speed: operations / milliseconds / 1e6,
  }));
  const bandwidth = Math.max(...points.map(({ speed, intensity }) => speed / intensity));
  return { points, roof: { bandwidth, peak: Math.max(...points.map(({ speed }) => speed)) } };
}

/** GFLOP/s that the roof allows at an intensity. */
export const allowed = ({ bandwidth, peak }: Roof, intensity: number) => Math.min(peak, bandwidth * intensity);
