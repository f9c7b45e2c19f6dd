import type { Backend } from '../../kernels';
import { type BenchContext, type KernelCase, norm, tensor } from './kernelBench';
import type { Limits } from './scalarProbe';

/** A backend under test, with the machine's limits as its technology sees them. */
export interface Bench {
  readonly label: string;
  readonly backend: Backend;
  readonly limits: Limits;
  readonly context: BenchContext;
}

export interface Figure {
  readonly backend: string;
  readonly shape: string;
  readonly type: string;
  readonly rows: number;
  readonly operations: number;
  readonly bytes: number;
  readonly microseconds: number;
  /** Relative margin of error, percent. */
  readonly margin: number;
  readonly gigabytesPerSecond: number;
  readonly gigaflops: number;
  /** Of what the roofline allows at this intensity: min(peak, stream · operations / bytes). Above 1: served by a cache. */
  readonly shareOfLimit: number;
}

/** A case of one backend, ready to be timed. */
export interface Timed {
  readonly bench: Bench;
  readonly one: KernelCase;
  readonly name: string;
  /** `batch` calls, then the wait for the last. */
  readonly unit: () => Promise<void>;
  readonly batch: number;
}

/**
 * Kernels enqueue and return, so a unit ends with a tiny kernel and the read of its result, which a device answers only
 * when all before it is done; enough calls go before it that it does not count.
 */
export async function prepare(bench: Bench, one: KernelCase): Promise<Timed> {
  const { backend } = bench;
  const x = tensor(backend, 1, 1);
  const out = backend.tensor();
  const gain = norm(backend, 1);
  const unitOf = (batch: number) => async (): Promise<void> => {
    for (let call = 0; call < batch; call++) {
      const result = one.run();
      if (result instanceof Promise) await result;
    }
    backend.rmsNorm(out, x, gain);
    await backend.read(out);
  };
  const first = unitOf(1);
  for (let call = 0; call < 3; call++) await first();
  const from = performance.now();
  await first();
  const batch = Math.max(1, Math.min(4096, Math.round(4 / (performance.now() - from))));
  return { bench, one, name: nameOf(bench, one), unit: unitOf(batch), batch };
}

function nameOf(bench: Bench, one: KernelCase): string {
  return `${bench.label} · ${one.shape} · ${one.type} · ${one.rows} row${one.rows === 1 ? '' : 's'}`;
}

/** The figures of a case whose unit took so many seconds. */
export function figureOf({ bench, one, batch }: Timed, unitSeconds: number, margin: number): Figure {
  const seconds = unitSeconds / batch;
  const { limits } = bench;
  const isInt8 = (one.type === 'q8' || one.type === 'q4') && limits.peakInt8GOps !== undefined;
  const peak = isInt8 ? limits.peakInt8GOps! : limits.peakGFlops;
  const gigaflops = one.operations / seconds / 1e9;
  return {
    backend: bench.label,
    shape: one.shape,
    type: one.type,
    rows: one.rows,
    operations: one.operations,
    bytes: one.bytes,
    microseconds: seconds * 1e6,
    margin,
    gigabytesPerSecond: one.bytes / seconds / 1e9,
    gigaflops,
    shareOfLimit: gigaflops / Math.min(peak, (limits.streamGBs * one.operations) / one.bytes),
  };
}
