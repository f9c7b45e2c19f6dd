import { join } from 'node:path';
import { createBackend } from '../kernels';
import { batchBench } from './batch/run';
import { decodeBench } from './decode/run';
import { drawBench } from './draw/run';
import { encoderBench } from './encoder/run';
import { limitsOf } from './harness/limits';
import { type Bench, measure } from './harness/measure';
import { type BenchOptions, parseOptions } from './harness/options';
import { printReport, saveReport } from './harness/report';
import { headlineBench } from './headline/run';
import { KERNEL_BENCHES } from './kernels';
import { neverSlowerBench } from './never-slower/run';
import { qualityBench } from './quality/run';
import { samplesBench } from './samples/run';
import { serveBench } from './serve/run';
import { speculativeBench } from './speculative/run';

const FOLDER = join(__dirname, '..', 'build', 'bench');

/** Creates the backends that the options name. One that does not work here is named and left out. */
async function openBenches(options: BenchOptions): Promise<Bench[]> {
  const benches: Bench[] = [];
  for (const name of options.backends) {
    try {
      const setting = name === 'wasm' ? { threads: options.threads, level: options.level, wide: 'auto' as const } : {};
      const backend = await createBackend(name, setting);
      const { threads, level, wide, weightTypes } = backend.facts;
      const label = name === 'wasm' ? `wasm ${level}${wide?.on ? ' wide' : ''} ×${threads}` : name;
      const types = options.types.filter((type) => weightTypes.includes(type));
      const context = { backend, types, rows: options.rows, quick: options.quick };
      benches.push({ label, backend, limits: await limitsOf(backend, options.quick), context });
    } catch (error) {
      console.log(`${name} left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return benches;
}

/**
 * `bench decode …` measures whole decoder steps, `bench encoder …` long sources, `bench speculative …` whole texts, `bench samples …` samples at once,
 * `bench serve …` a server with several clients, `bench batch …` what a batch keeps in memory, `bench headline …` whole texts at the sizes of real models,
 * `bench never-slower …` γ that adapts beside decoding without a draft, `bench draw …` how a token is drawn from logits, `bench quality …` what weights in fewer bits change, and everything else kernels.
 */
async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'decode') return decodeBench(rest);
  if (first === 'speculative') return speculativeBench(rest);
  if (first === 'headline') return headlineBench(rest);
  if (first === 'encoder') return encoderBench(rest);
  if (first === 'never-slower') return neverSlowerBench(rest);
  if (first === 'draw') return drawBench(rest);
  if (first === 'quality') return qualityBench(rest);
  if (first === 'samples') return samplesBench(rest);
  if (first === 'serve') return serveBench(rest);
  if (first === 'batch') return batchBench(rest);
  return kernelBenches();
}

/** Measures the kernels one after the other, each on new backends; returns the number of cases that it measured. */
async function kernelBenches(): Promise<number> {
  const options = parseOptions(
    process.argv.slice(2),
    KERNEL_BENCHES.map(({ name }) => name),
  );
  let measured = 0;
  for (const kernel of KERNEL_BENCHES.filter(({ name }) => options.kernels.includes(name))) {
    const benches = await openBenches(options);
    if (benches.length === 0) throw new Error('bench: expected at least one backend, found none');
    try {
      const report = { kernel, benches, ...(await measure(kernel, benches, options.quick)) };
      printReport(report);
      for (const path of saveReport(FOLDER, report)) console.log(`saved ${path}`);
      measured += report.figures.length;
    } finally {
      await Promise.all(benches.map(({ backend }) => backend.dispose()));
    }
  }
  return measured;
}

// A run that measures nothing must fail, so the exit code becomes 0 only at the end.
process.exitCode = 1;
main().then(
  (measured) => {
    console.log(`\n${measured} cases measured`);
    process.exitCode = measured > 0 ? 0 : 1;
  },
  (error: unknown) => console.error(error instanceof Error ? error.message : error),
);
