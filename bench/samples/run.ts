/**
 * Measures n samples of one source at once against n runs one after the other: `npm run bench -- samples [--model DIR] [--draft DIR]
 * [--samples 8,16] [--gamma 0] [--tokens 48] [--dtype f32] [--threads 2] [--source-length 64] [--turns 3]`. Both ways give the same
 * ids, and the bench fails where they do not. They run in turns, and the fastest of each counts.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { collect, generate, generateBatch, modelDrafter, type Pair, type SequenceRequest } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend, type Dtype } from '../../kernels';
import { openCheckpoint } from '../../weights';

const MODELS = join(__dirname, '..', '..', 'models');

/** Runs the bench; returns the number of cases that it measured. */
export async function samplesBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      model: { type: 'string', default: join(MODELS, 'modernize-target') },
      draft: { type: 'string', default: join(MODELS, 'modernize-draft') },
      samples: { type: 'string', default: '8,16' },
      gamma: { type: 'string', default: '0' },
      tokens: { type: 'string', default: '48' },
      dtype: { type: 'string', default: 'f32' },
      threads: { type: 'string', default: '2' },
      'source-length': { type: 'string', default: '64' },
      turns: { type: 'string', default: '3' },
    },
  });
  const backend = await createBackend('wasm', { threads: Number(values.threads), wide: 'auto' });
  const gamma = Number(values.gamma);
  const target = await open(values.model, backend, values.dtype as Dtype);
  const draft = gamma > 0 ? await open(values.draft, backend, values.dtype as Dtype) : null;
  const pair = { target, drafter: draft && modelDrafter(draft) };
  const tokens = Number(values.tokens);
  const source = sourceOf(target, Number(values['source-length']));
  const { level, wide, threads } = backend.facts;
  console.log(
    `${target.name}, ${values.dtype}, wasm (${level}${wide?.on ? ', wide' : ''}), ${threads} threads; γ ${gamma}, ${tokens} tokens`,
  );
  console.log('samples  one after the other       at once   gain');
  const counts = values.samples.split(',').map(Number);
  for (const count of counts) {
    const requests = requestsOf(source, { count, gamma, tokens });
    const { apart, together } = await compare(pair, requests, Number(values.turns));
    const speeds = [apart, together].map((seconds) =>
      `${((count * tokens) / seconds).toFixed(1)} tokens/s`.padStart(20),
    );
    console.log(`${String(count).padStart(7)} ${speeds.join('')}  ${(apart / together).toFixed(2)}×`);
  }
  for (const model of [target, draft]) model?.dispose();
  await backend.dispose();
  return counts.length;
}

/** Seconds of both ways. */
async function compare(pair: Pair, requests: readonly SequenceRequest[], turns: number) {
  let apart = Number.POSITIVE_INFINITY;
  let together = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn <= turns; turn++) {
    const start = performance.now();
    const alone: (readonly number[])[] = [];
    for (const request of requests) alone.push((await collect(generate({ ...pair, ...request }))).ids);
    const middle = performance.now();
    const ids = await atOnce(pair, requests);
    const end = performance.now();
    if (JSON.stringify(ids) !== JSON.stringify(alone)) throw new Error('samples: expected the same ids both ways');
    if (turn === 0) continue; // the warm-up
    apart = Math.min(apart, (middle - start) / 1000);
    together = Math.min(together, (end - middle) / 1000);
  }
  return { apart, together };
}

async function atOnce(pair: Pair, requests: readonly SequenceRequest[]): Promise<(readonly number[])[]> {
  const ids: (readonly number[])[] = [];
  for await (const event of generateBatch(pair, requests, { concurrency: requests.length })) {
    if (event.kind === 'failed') throw event.error;
    if (event.kind === 'done') ids[event.index] = event.result.ids;
  }
  return ids;
}

function requestsOf(
  source: readonly number[],
  { count, gamma, tokens }: { count: number; gamma: number; tokens: number },
): SequenceRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    source,
    settings: { temperature: 1, gamma, seed: 1, sequence: `sample ${i}`, maxNewTokens: tokens, minNewTokens: tokens },
  }));
}

/** Ids spread over the vocabulary, the same in every run. */
function sourceOf({ vocabularySize, eosTokens }: T5Model, length: number): number[] {
  return [...Array.from({ length: length - 1 }, (_, i) => (i * 2654435761 + 7) % vocabularySize), eosTokens[0]];
}

async function open(directory: string, backend: Backend, dtype: Dtype): Promise<T5Model> {
  const checkpoint = await openCheckpoint(directory);
  const model = await loadModel(checkpoint, backend, { dtype });
  await checkpoint.dispose();
  return model;
}
