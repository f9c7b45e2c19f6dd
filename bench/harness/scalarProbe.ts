/** The machine's limits as one technology sees them. */
export interface Limits {
  /** What measured them, e.g. `typed arrays, 1 thread`. */
  readonly by: string;
  /** Bytes read in order from memory, GB/s. */
  readonly streamGBs: number;
  /** Multiplications and additions on registers, GFLOP/s (10⁹ operations a second). */
  readonly peakGFlops: number;
  /** Int8 multiplications and additions on registers, GOP/s; only where int8 weights are computed with as such. */
  readonly peakInt8GOps?: number;
}

/** Far larger than a last-level cache. */
export const STREAM_BYTES = 256 * 2 ** 20;

/** The best of `rounds` runs, in seconds: a limit is what the machine can do when nothing disturbs it. */
export async function fastest(rounds: number, run: () => unknown): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    await run();
    best = Math.min(best, performance.now() - from);
  }
  return best / 1000;
}

/** Four streams side by side over float64 (8 bytes a load, the widest that scalar code has). */
function streamSum(values: Float64Array): number {
  const quarter = values.length >> 2;
  let a = 0.5;
  let b = 0.5;
  let c = 0.5;
  let d = 0.5;
  for (let i = 0, j = quarter, k = 2 * quarter, l = 3 * quarter; i < quarter; i++, j++, k++, l++) {
    a += values[i];
    b += values[j];
    c += values[k];
    d += values[l];
  }
  return a + b + c + d;
}

/** Eight chains of multiply and add on registers, 16 operations a step. Fractions: V8 must not start with integers. */
function registerSum(steps: number, factor: number): number {
  let a = 0.5;
  let b = 1.5;
  let c = 2.5;
  let d = 3.5;
  let e = 4.5;
  let f = 5.5;
  let g = 6.5;
  let h = 7.5;
  for (let i = 0; i < steps; i++) {
    a = a * factor + 1;
    b = b * factor + 1;
    c = c * factor + 1;
    d = d * factor + 1;
    e = e * factor + 1;
    f = f * factor + 1;
    g = g * factor + 1;
    h = h * factor + 1;
  }
  return a + b + c + d + e + f + g + h;
}

/** The limits of plain JavaScript on typed arrays, one thread: what `reference` and `cpu` are held against. */
export async function scalarLimits(rounds: number): Promise<Limits> {
  const values = new Float64Array(STREAM_BYTES / 8).fill(1);
  const steps = 4e6;
  let sink = streamSum(values) + registerSum(steps, 0.5);
  const streamed = await fastest(rounds, () => {
    sink += streamSum(values);
  });
  const computed = await fastest(rounds, () => {
    sink += registerSum(steps, 0.5);
  });
  if (Number.isNaN(sink)) throw new Error('probe: expected finite sums, found NaN');
  return {
    by: 'typed arrays, 1 thread',
    streamGBs: STREAM_BYTES / streamed / 1e9,
    peakGFlops: (16 * steps) / computed / 1e9,
  };
}
