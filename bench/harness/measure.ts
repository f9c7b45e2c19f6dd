import { add, configure, cycle, suite } from 'benny';
import type { Backend } from '../../kernels';
import { interleave, type PairedRatio } from './interleave';
import { type BenchContext, type KernelBench, type KernelCase, norm, tensor } from './kernelBench';
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
  /** benny's relative margin of error, percent. */
  readonly margin: number;
  readonly gigabytesPerSecond: number;
  readonly gigaflops: number;
  /** Of what the roofline allows at this intensity: min(peak, stream · operations / bytes). Above 1: served by a cache. */
  readonly shareOfLimit: number;
}

/** A ratio from interleaved rounds. */
export interface Comparison {
  readonly what: string;
  readonly ratio: PairedRatio;
}

/** A case of one backend, ready to be timed. */
interface Timed {
  readonly bench: Bench;
  readonly one: KernelCase;
  readonly name: string;
  /** `batch` calls, then the wait for the last. */
  readonly unit: () => Promise<void>;
  readonly batch: number;
}

export async function measure(
  kernel: KernelBench,
  benches: readonly Bench[],
  quick: boolean,
): Promise<{ figures: Figure[]; comparisons: Comparison[] }> {
  const timed: Timed[] = [];
  for (const bench of benches) {
    for (const one of kernel.cases(bench.context)) timed.push(await prepare(bench, one));
  }
  const figures = await figuresOf(kernel, timed, quick);
  return { figures, comparisons: await compare(timed, benches, quick ? 5 : 11) };
}

/**
 * Kernels enqueue and return, so a unit ends with a tiny kernel and the read of its result, which a device answers only
 * when all before it is done; enough calls go before it that it does not count.
 */
async function prepare(bench: Bench, one: KernelCase): Promise<Timed> {
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

async function figuresOf(kernel: KernelBench, timed: readonly Timed[], quick: boolean): Promise<Figure[]> {
  const settings = configure({ cases: { minSamples: 5, maxTime: quick ? 0.1 : 0.4 } });
  const summary = await suite(kernel.name, settings, ...timed.map(({ name, unit }) => add(name, unit)), cycle());
  return timed.map(({ bench, one, batch, name }) => {
    const result = summary.results.find((found) => found.name === name);
    if (result === undefined) throw new Error(`bench: expected a result of ${name}, found none`);
    const seconds = result.details.median / batch;
    const { limits } = bench;
    const isInt8 = one.type === 'q8' && limits.peakInt8GOps !== undefined;
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
      margin: result.margin,
      gigabytesPerSecond: one.bytes / seconds / 1e9,
      gigaflops,
      shareOfLimit: gigaflops / Math.min(peak, (limits.streamGBs * one.operations) / one.bytes),
    };
  });
}

/** benny runs its cases one after the other; ratios come from rounds in which all rows and backends take turns. */
async function compare(timed: readonly Timed[], benches: readonly Bench[], rounds: number): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const groups = new Map<string, Timed[]>();
  for (const one of timed) {
    const key = `${one.one.shape} · ${one.one.type}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const [key, group] of groups) {
    if (group.length < 2) continue;
    const cases = group.map(({ name, unit }) => ({ name, run: unit, calls: 1 }));
    const times = await interleave(cases, rounds, { warmUp: 1 });
    const ratio = (a: Timed, b: Timed): PairedRatio => {
      const { median, low, high } = times.ratio(a.name, b.name);
      const factor = b.batch / a.batch;
      return { median: median * factor, low: low * factor, high: high * factor };
    };
    for (const bench of benches) {
      const own = group.filter((one) => one.bench === bench).sort((a, b) => a.one.rows - b.one.rows);
      for (const one of own.slice(1)) {
        const what = `${bench.label} · ${key}: ${one.one.rows} rows over ${own[0].one.rows}`;
        comparisons.push({ what, ratio: ratio(one, own[0]) });
      }
    }
    for (const one of group) {
      const base = group.find((other) => other.bench === benches[0] && other.one.rows === one.one.rows);
      if (base === undefined || base === one || base.bench === one.bench) continue;
      const what = `${key} · ${one.one.rows} rows: ${base.bench.label} over ${one.bench.label}`;
      comparisons.push({ what, ratio: ratio(base, one) });
    }
  }
  return comparisons;
}
