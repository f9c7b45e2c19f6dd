import { add, configure, cycle, suite } from 'benny';
import { type Bench, type Figure, figureOf, prepare, type Timed } from './figures';
import { interleave, type PairedRatio } from './interleave';
import type { KernelBench } from './kernelBench';

export type { Bench, Figure } from './figures';

/** A ratio from interleaved rounds. */
export interface Comparison {
  readonly what: string;
  readonly ratio: PairedRatio;
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

async function figuresOf(kernel: KernelBench, timed: readonly Timed[], quick: boolean): Promise<Figure[]> {
  const settings = configure({ cases: { minSamples: 5, maxTime: quick ? 0.1 : 0.4 } });
  const summary = await suite(kernel.name, settings, ...timed.map(({ name, unit }) => add(name, unit)), cycle());
  return timed.map((one) => {
    const result = summary.results.find((found) => found.name === one.name);
    if (result === undefined) throw new Error(`bench: expected a result of ${one.name}, found none`);
    return figureOf(one, result.details.median, result.margin);
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
