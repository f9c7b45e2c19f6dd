/**
 * Where a decode step's time goes: `npm run bench -- decode [--model DIR] [--backend wasm] [--dtype bf16] [--threads 2]
 * [--rows 1,4]`. Prints v(k), the cost of k rows over one, in interleaved rounds, and each kernel's share of a call with each number of `--rows`.
 * Of a model whose feed-forward layers have a relu it also prints the share of units that are not zero in the decoder.
 */
import { parseArgs } from 'node:util';
import { table } from '../../cli/table';
import { type DecoderStream, loadModel, type T5Model } from '../../engine';
import { type BackendName, createBackend, type Dtype } from '../../kernels';
import { openCheckpoint } from '../../weights';
import { activeLine, watchActive } from './active';
import { profiled } from './profile';

const ROWS = [1, 2, 3, 4, 5, 6, 8, 12, 16];
/** Positions cached before the measured call, and source length, as peers are measured. */
const CACHED = 64;
const SOURCE = 64;

/** Gives the number of row counts measured. */
export async function decodeBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      model: { type: 'string', default: 'models/modernize-target' },
      backend: { type: 'string', default: 'auto' },
      dtype: { type: 'string' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '30' },
      rows: { type: 'string', default: '1' },
    },
  });
  const threads = Number(values.threads);
  const profile = profiled(await createBackend(values.backend as BackendName, { threads, wide: 'auto' }));
  const { backend, activeIn } = watchActive(profile.backend);
  const { facts } = backend;
  const checkpoint = await openCheckpoint(values.model);
  const started = performance.now();
  const model = await loadModel(checkpoint, backend, { dtype: values.dtype as Dtype | undefined });
  const loadMs = performance.now() - started;
  const megabytes = (model.weightBytes / 1e6).toFixed(0);
  console.log(
    `${model.name} as ${model.dtype} on ${facts.name} (${facts.level}${facts.wide?.on ? ', wide' : ''}, ${facts.threads} threads): ${megabytes} MB, loaded in ${loadMs.toFixed(0)} ms`,
  );
  const [encoded] = await model.encode([Array.from({ length: SOURCE }, (_, i) => 3 + ((i * 7) % 90))]);
  const stream = encoded.open();
  const active = activeLine(await activeIn(() => step(model, stream, CACHED)));
  if (active !== null) console.log(active);
  const medians = await rowCosts(model, stream, Number(values.rounds));
  const rows = ROWS.map((k, i) => [
    k,
    medians[i].toFixed(3),
    (medians[i] / medians[0]).toFixed(2),
    ((1000 * k) / medians[i]).toFixed(0),
  ]);
  console.log(`\n${table(['rows', 'ms/call', 'v(k)', 'tokens/s if all are kept'], rows)}`);
  for (const count of values.rows.split(',').map(Number)) await printKernels(model, stream, profile, count);
  model.dispose();
  await checkpoint.dispose();
  await backend.dispose();
  return medians.length;
}

/** Runs a chain of k rows and forgets it again. */
async function step(model: T5Model, stream: DecoderStream, k: number): Promise<void> {
  const from = stream.length;
  const rows = Array.from({ length: k }, (_, i) => ({ stream, token: 5 + i, position: from + i, parent: i - 1 }));
  const view = await model.forward(rows);
  await view.argMax();
  view.dispose();
}

/** Median milliseconds of a call with each row count, the counts taking turns within every round. */
async function rowCosts(model: T5Model, stream: DecoderStream, rounds: number): Promise<number[]> {
  const times = ROWS.map(() => [] as number[]);
  for (let round = -3; round < rounds; round++) {
    for (const [i, k] of ROWS.entries()) {
      const start = performance.now();
      await step(model, stream, k);
      if (round >= 0) times[i].push(performance.now() - start);
      stream.truncate(CACHED);
    }
  }
  return times.map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
}

async function printKernels(
  model: T5Model,
  stream: DecoderStream,
  profile: ReturnType<typeof profiled>,
  count: number,
): Promise<void> {
  const steps = 50;
  profile.reset();
  const start = performance.now();
  for (let i = 0; i < steps; i++) {
    await step(model, stream, count);
    stream.truncate(CACHED);
  }
  const total = (performance.now() - start) / 1000;
  const costs = profile.costs();
  const shares = (seconds: number) => [
    ((1e6 * seconds) / steps).toFixed(1),
    `${((100 * seconds) / total).toFixed(1)} %`,
  ];
  const rows = costs.map(({ kernel, calls, seconds, bytes, operations }) => {
    const rate = (amount: number) => (amount > 0 ? (amount / seconds / 1e9).toFixed(1) : '');
    return [kernel, (calls / steps).toFixed(0), ...shares(seconds), rate(bytes), rate(operations)];
  });
  const rest = total - costs.reduce((sum, cost) => sum + cost.seconds, 0);
  const head = [count === 1 ? 'one-row step' : `${count} rows`, 'calls', 'µs/call', 'share', 'GB/s', 'GFLOP/s'];
  console.log(`\n${table(head, [...rows, ['engine, awaits', '', ...shares(rest)]])}`);
}
