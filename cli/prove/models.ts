import { readFile } from 'node:fs/promises';
import { type BundledPair, bundledPair } from '../../api';
import { modelDrafter, PAPERS_RULE, type Settings } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, type BackendName, createBackend, createReferenceBackend, type Dtype } from '../../kernels';
import { checkKernels, chiSquared, counted, decode, encodedOnce, exact, firstDifference } from '../../testing/index';
import { openCheckpoint } from '../../weights';
import { yieldToEventLoop } from '../event-loop';
import type { Check, ProveJob } from './job';

/** Backends that are too slow for whole passages decode the beginning of one. */
const SLOW: Readonly<Partial<Record<BackendName, number>>> = { reference: 3, cpu: 8, gpu: 8 };

interface LoadedPair {
  readonly target: T5Model;
  readonly draft: T5Model;
  readonly backend: Backend;
  readonly dispose: () => Promise<void>;
}

async function loadPair({ target, draft }: BundledPair, name: BackendName, dtype: Dtype): Promise<LoadedPair> {
  const backend = await createBackend(name);
  const models: T5Model[] = [];
  const dispose = async () => {
    for (const model of models) model.dispose();
    await backend.dispose();
  };
  try {
    for (const directory of [target, draft]) {
      const checkpoint = await openCheckpoint(directory);
      models.push(await loadModel(checkpoint, backend, { dtype }).finally(() => checkpoint.dispose()));
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { target: models[0], draft: models[1], backend, dispose };
}

/** Source ids of the held-out passages by number; after the last one comes the first again. */
async function passagesOf(pair: BundledPair): Promise<(number: number) => number[]> {
  const passages = JSON.parse(await readFile(pair.heldOut, 'utf8')) as { source: string }[];
  const checkpoint = await openCheckpoint(pair.target);
  const tokenizer = await checkpoint.tokenizer().finally(() => checkpoint.dispose());
  return (number) => tokenizer.encode(`${pair.prefix}${passages[number % passages.length].source}`);
}

/** Greedy speculative decoding of the bundled pair beside autoregressive decoding: tokens and logits, on every backend that works. */
export async function checkGreedy(job: ProveJob): Promise<Check[]> {
  const pair = await bundledPair();
  const passage = await passagesOf(pair);
  const available = job.backends.filter(({ available }) => available);
  const checks: Check[] = [];
  for (const [i, { name, reason }] of available.entries()) {
    const most = SLOW[name];
    const count = most === undefined ? job.texts : 1;
    const sources = Array.from({ length: count }, (_, i) => passage(37 * job.seed + 53 * i));
    const loaded = await loadPair(pair, name, 'bf16');
    try {
      const backend = `${name} (${reason.split(';')[0]})`;
      checks.push({
        ...(await equalRuns(loaded, sources, job, most)),
        name: `${backend}: the bits of decoding without a draft`,
      });
    } finally {
      await loaded.dispose();
    }
    job.onStep('greedy', i + 1, available.length);
  }
  return checks;
}

async function equalRuns(
  { target, draft }: LoadedPair,
  sources: number[][],
  job: ProveJob,
  most?: number,
): Promise<Check> {
  let [tokens, plainCalls, calls] = [0, 0, 0];
  let failure: string | null = null;
  for (const [i, source] of sources.entries()) {
    const settings: Settings = most === undefined ? {} : { maxNewTokens: most };
    const alone = await decode(target, null, source, settings);
    for (const gamma of [1 + ((job.seed + i) % 8), 4]) {
      const drafted = await decode(target, draft, source, { ...settings, gamma });
      const difference = firstDifference(drafted, alone);
      if (difference !== null) failure ??= `passage ${i + 1}, γ = ${gamma}: ${difference}`;
      tokens += drafted.ids.length;
      plainCalls += alone.targetCalls;
      calls += drafted.targetCalls;
      await yieldToEventLoop(job.signal);
    }
  }
  const measured = `${tokens} tokens with the bits of their logits, ${calls} target calls in place of ${plainCalls}`;
  return { group: 'greedy', name: '', passed: failure === null, measured, failure };
}

/** The laws of the kernels in small, on every backend that works, beside the reference. */
export async function checkAllKernels(job: ProveJob): Promise<Check[]> {
  const others = job.backends.filter(({ name, available }) => available && name !== 'reference');
  const reference = createReferenceBackend();
  const checks: Check[] = [];
  for (const [i, { name }] of others.entries()) {
    const backend = await createBackend(name);
    try {
      const findings = await checkKernels(backend, reference, job.seed);
      const broken = findings.find(({ measured, limit }) => !(measured <= limit));
      const failure = broken ? `${broken.law}: expected at most ${broken.limit}, found ${broken.measured}` : null;
      const { level } = backend.facts;
      const measured = `${findings.length} laws, beside the reference`;
      checks.push({ group: 'kernels', name: `${name} (${level})`, passed: failure === null, measured, failure });
    } finally {
      await backend.dispose();
    }
    job.onStep('kernels', i + 1, others.length);
    await yieldToEventLoop(job.signal);
  }
  await reference.dispose();
  return checks;
}

/** A right sampler fails a check with this probability: the seed is the user's, and a false alarm must be out of the question. */
const LEVEL = 1e-6;
const SAMPLES = 100;
/** A held-out passage whose first words can be translated in several ways, so that several texts have mass. */
const PASSAGE = 16;

const SAMPLED: readonly (readonly [string, Settings])[] = [
  ['token, temperature 1', { temperature: 1, gamma: 2 }],
  ['block, temperature 0.7', { temperature: 0.7, verification: 'block', gamma: 2 }],
  ['coupled, temperature 1, top-p 0.9', { temperature: 1, topP: 0.9, verification: 'coupled', gamma: 2 }],
  ['trees [2, 1], temperature 0.7', { temperature: 0.7, branching: [2, 1] }],
];

/** The bundled pair's samples against the target's own distribution, by Pearson's χ²; and a wrong residual, which must fail. */
export async function checkStatistics(job: ProveJob): Promise<Check[]> {
  const pair = await bundledPair();
  const loaded = await loadPair(pair, 'wasm', 'bf16');
  try {
    const source = (await passagesOf(pair))(PASSAGE);
    const [target, draft] = [await encodedOnce(loaded.target, source), await encodedOnce(loaded.draft, source)];
    const checks: Check[] = [];
    for (const [i, [name, how]] of SAMPLED.entries()) {
      const settings: Settings = { ...how, maxNewTokens: 3 };
      const expected = await exact(target, source, settings, 3);
      const rule = settings.verification === undefined ? (job.rule ?? PAPERS_RULE) : undefined;
      const request = { target, drafter: modelDrafter(draft), source, settings, rule };
      const counts = await counted(request, SAMPLES, expected, 1_000_000 * job.seed);
      const { statistic, degrees, tail } = chiSquared(counts, expected);
      const measured = `${SAMPLES} texts, χ² ${statistic.toFixed(1)} at ${degrees} degrees, p = ${tail.toPrecision(2)}`;
      const failure = tail > LEVEL ? null : `expected p above ${LEVEL}, found ${tail}`;
      checks.push({ group: 'statistics', name, passed: failure === null, measured, failure });
      job.onStep('statistics', i + 1, SAMPLED.length);
      await yieldToEventLoop(job.signal);
    }
    return checks;
  } finally {
    await loaded.dispose();
  }
}
