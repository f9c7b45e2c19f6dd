import { TandemError, Turns } from '../../common';
import type { Backend, Tensor } from '../../kernels';
import type { MeasuredKernel } from '../protocol';
import type { Models } from './models';

/** Rows of the calls that are timed: one is decoding, a few are verification, many are the encoder's. */
const ROWS = [1, 2, 4, 8, 16, 32, 64];
/** Keys that a row of attention reads. */
const KEYS = 64;
/** How long each case is called. */
const CASE_MILLISECONDS = 12;
/** The clock of a page that is not isolated has steps of 0.1 ms: calls are timed in batches that take longer. */
const BATCH_MILLISECONDS = 1;

interface Case extends Omit<MeasuredKernel, 'milliseconds'> {
  run(): void;
}

/** Times kernels on shapes of the target, with weights of its type: what the machine reaches for each of them. */
export async function measureKernels({ backend, target }: Models, signal: AbortSignal): Promise<MeasuredKernel[]> {
  const made: Parameters<Backend['free']>[0][] = [];
  const keep = <B extends (typeof made)[number]>(box: B): B => {
    made.push(box);
    return box;
  };
  const turns = new Turns();
  const measured: MeasuredKernel[] = [];
  try {
    for (const { run, ...one } of casesOf(target, backend, keep)) {
      await turns.give();
      if (signal.aborted) throw new TandemError('aborted', 'kernels: measuring was cancelled');
      measured.push({ ...one, milliseconds: fastest(run) });
    }
    return measured;
  } finally {
    for (const box of made) backend.free(box);
  }
}

function* casesOf(
  { config: { dModel, dFf, inner, heads, dKv }, dtype }: Models['target'],
  backend: Backend,
  keep: <B extends Parameters<Backend['free']>[0]>(box: B) => B,
): Generator<Case> {
  const filled = (rows: number, cols: number): Tensor => {
    const box = keep(backend.tensor());
    backend.write(box, rows, cols, values(rows * cols));
    return box;
  };
  const out = keep(backend.tensor());
  const weight = keep(backend.weight(dFf, dModel, dtype));
  backend.fill(weight, 0, new Uint8Array(values(dFf * dModel).buffer), 'f32');
  for (const rows of ROWS) {
    const x = filled(rows, dModel);
    yield {
      name: 'linear',
      rows,
      operations: 2 * rows * dModel * dFf,
      bytes: backend.facts.weightBytes(dFf, dModel, dtype) + 4 * rows * (dModel + dFf),
      run: () => backend.linear(out, x, weight, null),
    };
  }
  const cache = keep(backend.cache(heads, dKv, KEYS));
  const keys = Int32Array.from({ length: KEYS }, (_, i) => i);
  backend.append(cache, filled(KEYS, inner), filled(KEYS, inner), keys);
  for (const rows of ROWS) {
    const query = filled(rows, inner);
    const plan = keep(backend.plan());
    const [start, position] = [new Int32Array(rows), new Int32Array(rows)];
    backend.arrange(plan, { rows, write: new Int32Array(0), start, count: start.map(() => KEYS), keys, position });
    yield {
      name: 'attention',
      rows,
      operations: 4 * rows * KEYS * inner,
      bytes: 4 * (2 * KEYS * inner + 2 * rows * inner),
      run: () => backend.attention(out, query, null, cache, plan, null),
    };
  }
  const [rows] = ROWS.slice(-1);
  const x = filled(rows, dModel);
  const norm = { gain: keep(backend.vector(values(dModel))), epsilon: 1e-6 };
  yield {
    name: 'RMS norm',
    rows,
    operations: 4 * rows * dModel,
    bytes: 8 * rows * dModel + 4 * dModel,
    run: () => backend.rmsNorm(out, x, norm),
  };
  const wide = filled(rows, dFf);
  yield {
    name: 'activation',
    rows,
    operations: rows * dFf,
    bytes: 8 * rows * dFf,
    run: () => backend.activation(out, wide, 'relu', null),
  };
}

/** Milliseconds of a call: the fastest batch counts, because the others include what else the machine did. */
function fastest(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + CASE_MILLISECONDS;
  for (let calls = 1; performance.now() < end || best === Number.POSITIVE_INFINITY; ) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    const taken = performance.now() - start;
    if (taken < BATCH_MILLISECONDS) calls *= 2;
    else best = Math.min(best, taken / calls);
  }
  return best;
}

/** Values between −1 and 1. What they are does not change how long a call takes. */
function values(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => Math.sin(i));
}
