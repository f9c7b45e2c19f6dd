import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { columns } from '../../cli/table';
import type { KernelBench } from './kernelBench';
import type { Bench, Comparison, Figure } from './measure';
import { roofline } from './roofline';

/** What a run of one kernel measured. */
export interface KernelReport {
  readonly kernel: KernelBench;
  readonly benches: readonly Bench[];
  readonly figures: readonly Figure[];
  readonly comparisons: readonly Comparison[];
}

const LAYOUT = ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'] as const;

export function printReport({ kernel, benches, figures, comparisons }: KernelReport): void {
  const heads = ['backend', 'shape', 'type', 'rows', 'µs', '±%', 'GB/s', 'GFLOP/s', 'of limit'];
  const lines = figures.map((figure) => [
    figure.backend,
    figure.shape,
    figure.type,
    String(figure.rows),
    figure.microseconds.toPrecision(4),
    figure.margin.toFixed(1),
    figure.gigabytesPerSecond.toPrecision(3),
    figure.gigaflops.toPrecision(3),
    `${(100 * figure.shareOfLimit).toFixed(0)}%`,
  ]);
  console.log(`\n${kernel.name} — ${kernel.note}`);
  for (const { label, limits } of benches) {
    const int8 = limits.peakInt8GOps === undefined ? '' : `, int8 ${limits.peakInt8GOps.toFixed(1)} GOP/s`;
    const limit = `${limits.streamGBs.toFixed(1)} GB/s, ${limits.peakGFlops.toFixed(1)} GFLOP/s${int8}`;
    console.log(`limits of ${label}: ${limit} (${limits.by})`);
  }
  console.log(
    columns(
      [heads, ...lines],
      LAYOUT.map((align) => ({ align })),
    ).trimEnd(),
  );
  if (comparisons.length === 0) return;
  console.log('\nratios of time, interleaved rounds: median (quartiles)');
  for (const { what, ratio } of comparisons) {
    console.log(`  ${what}: ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`);
  }
}

/** Writes `<kernel>.json` and `<kernel>.svg` into the folder; gives their paths. */
export function saveReport(folder: string, report: KernelReport): string[] {
  mkdirSync(folder, { recursive: true });
  const { kernel, benches, figures, comparisons } = report;
  const [json, svg] = ['json', 'svg'].map((end) => join(folder, `${kernel.name}.${end}`));
  const limits = benches.map((bench) => ({ backend: bench.label, ...bench.limits }));
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    threads: cpus().length,
    platform: `${platform()} ${arch()}`,
  };
  const content = {
    kernel: kernel.name,
    note: kernel.note,
    node: process.version,
    machine,
    limits,
    figures,
    comparisons,
  };
  writeFileSync(json, `${JSON.stringify(content, null, 2)}\n`);
  const series = benches.map((bench) => ({
    label: bench.label,
    limits: bench.limits,
    figures: figures.filter((figure) => figure.backend === bench.label),
  }));
  writeFileSync(svg, roofline(`${kernel.name}: roofline`, series));
  return [json, svg];
}
