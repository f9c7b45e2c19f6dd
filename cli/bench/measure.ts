import type { Tandem } from '../../api';
import {
  type Bench,
  type Figure,
  figureOf,
  KERNEL_BENCHES,
  prepare,
  scalarLimits,
  type WasmProbeLevel,
  wasmLimits,
} from '../../bench/index';
import { type BackendName, type BackendOptions, createBackend, type Dtype } from '../../kernels';
import { yieldToEventLoop } from '../event-loop';
import { type Spread, spreadOf } from './spread';

/** Kernels of the command. The others of `npm run bench` say less about a machine. */
export const KERNELS = KERNEL_BENCHES.map(({ name }) => name);

export interface KernelJob {
  readonly kernels: readonly string[];
  readonly backend: BackendName;
  readonly options: BackendOptions;
  readonly types: readonly Dtype[];
  readonly rows: readonly number[];
  /** All shapes, with weights from memory; else one shape of each kernel, with weights from the cache. */
  readonly full: boolean;
  readonly signal: AbortSignal;
  readonly onCase: (done: number, total: number) => void;
}

export interface KernelFigures {
  readonly label: string;
  readonly limits: Bench['limits'];
  readonly kernels: readonly { readonly name: string; readonly note: string; readonly figures: readonly Figure[] }[];
}

/** Milliseconds that a case is timed for, and the fewest samples of it. */
const [LONGEST_MS, LEAST] = [150, 5];

/** Measures kernels on a backend of this machine, and the machine's own limits by the same technology. */
export async function measureKernels(job: KernelJob): Promise<KernelFigures> {
  const chosen = KERNEL_BENCHES.filter(({ name }) => job.kernels.includes(name));
  const measured: { name: string; note: string; figures: Figure[] }[] = [];
  let limits: Bench['limits'] | null = null;
  let label = '';
  for (const [i, kernel] of chosen.entries()) {
    const backend = await createBackend(job.backend, job.options); // disposed with all boxes of its kernel
    try {
      const { name, level, threads, wide, weightTypes } = backend.facts;
      label = name === 'wasm' ? `wasm ${level}${wide?.on ? ' wide' : ''} ×${threads}` : name;
      limits ??= name === 'wasm' ? await wasmLimits(3, threads, level as WasmProbeLevel) : await scalarLimits(3);
      const types = job.types.filter((type) => weightTypes.includes(type));
      const bench: Bench = { label, backend, limits, context: { backend, types, rows: job.rows, quick: !job.full } };
      const figures: Figure[] = [];
      for (const one of kernel.cases(bench.context)) {
        const timed = await prepare(bench, one);
        const { median, margin } = await time(timed.unit, job.signal);
        figures.push(figureOf(timed, median, margin));
      }
      measured.push({ name: kernel.name, note: kernel.note, figures });
    } finally {
      await backend.dispose();
    }
    job.onCase(i + 1, chosen.length);
  }
  return { label, limits: limits as Bench['limits'], kernels: measured };
}

async function time(unit: () => Promise<void>, signal: AbortSignal): Promise<Spread> {
  const samples: number[] = [];
  const begun = performance.now();
  while (samples.length < LEAST || performance.now() - begun < LONGEST_MS) {
    const from = performance.now();
    await unit();
    samples.push((performance.now() - from) / 1000);
    await yieldToEventLoop(signal);
  }
  return spreadOf(samples);
}

/** Whole texts on this machine, with the draft and without it. */
export interface DecodeFigures {
  readonly texts: number;
  readonly tokens: number;
  /** Tokens a second. */
  readonly plain: number;
  readonly speculative: number | null;
  readonly speedup: number | null;
  /** Texts with the draft equal those without it. */
  readonly equal: boolean;
  readonly acceptanceRate: number | null;
  /** A draft step / a target step; a target call of γ + 1 rows / a target step. */
  readonly c: number | null;
  readonly v: number | null;
  readonly tokensPerTargetCall: number | null;
}

/** Decodes texts greedily, each with and without the draft where there is one. */
export async function measureDecode(
  tandem: Tandem,
  texts: readonly string[],
  options: { readonly maxNewTokens?: number; readonly gamma: number | 'auto'; readonly signal: AbortSignal },
): Promise<DecodeFigures> {
  let [tokens, plainSeconds, seconds, calls, newTokens] = [0, 0, 0, 0, 0];
  const [alphas, cs, vs]: [number[], number[], number[]] = [[], [], []];
  let equal = true;
  const isDrafting = tandem.drafter !== null;
  for (const [i, text] of ['', ...texts].entries()) {
    const { signal, ...how } = options;
    const source = i === 0 ? texts[0] : text; // the first run compiles, and does not count
    if (!isDrafting) {
      const { metrics } = await tandem.generate(source, { ...how, temperature: 0, signal });
      if (i > 0) [tokens, plainSeconds] = [tokens + metrics.newTokens, plainSeconds + metrics.seconds];
      continue;
    }
    const found = await tandem.compare(source, { ...how, temperature: 0, signal });
    if (i === 0) continue;
    const { autoregressive: plain, speculative } = found;
    tokens += plain.metrics.newTokens;
    plainSeconds += plain.metrics.seconds;
    seconds += speculative.metrics.seconds;
    newTokens += speculative.metrics.newTokens;
    calls += speculative.metrics.targetCalls;
    equal &&= found.equal;
    alphas.push(speculative.metrics.acceptanceRate);
    if (speculative.metrics.costRatio !== null) cs.push(speculative.metrics.costRatio);
    if (speculative.metrics.verifyRatio !== null) vs.push(speculative.metrics.verifyRatio);
  }
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    texts: texts.length,
    tokens,
    plain: tokens / plainSeconds,
    speculative: isDrafting ? newTokens / seconds : null,
    speedup: isDrafting ? newTokens / seconds / (tokens / plainSeconds) : null,
    equal,
    acceptanceRate: mean(alphas),
    c: mean(cs),
    v: mean(vs),
    tokensPerTargetCall: isDrafting ? newTokens / calls : null,
  };
}
