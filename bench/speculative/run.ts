/**
 * Measures what speculation gains on real text: `npm run bench -- speculative [--type f32,bf16,q8] [--gammas 2,4,6,8]
 * [--temperature 0] [--threads 2] [--passages 10]`. It decodes each held-out passage autoregressively and with every γ, one after the
 * other. It prints α, c, v, tokens per call, the measured speed-up, and the speed-up that the formula predicts from α, c and v.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Drafter, type GenerationResult, generate, modelDrafter, type Settings } from '../../decoding';
import { expectedTokens } from '../../decoding/gamma/theory';

import { loadModel, type T5Model } from '../../engine';
import { type Backend, type BackendName, createBackend, type Dtype } from '../../kernels';
import { openCheckpoint } from '../../weights';

const ROOT = join(__dirname, '..', '..');

/** Sums over the passages for one γ. */
interface Tally {
  seconds: number;
  tokens: number;
  targetCalls: number;
  targetSeconds: number;
  draftCalls: number;
  draftSeconds: number;
  rounds: number;
  proposed: number;
  /** Σ α · proposed tokens over the runs. */
  alpha: number;
}

const empty = (): Tally => ({
  seconds: 0,
  tokens: 0,
  targetCalls: 0,
  targetSeconds: 0,
  draftCalls: 0,
  draftSeconds: 0,
  rounds: 0,
  proposed: 0,
  alpha: 0,
});

function add(tally: Tally, { metrics }: GenerationResult, seconds: number): void {
  tally.seconds += seconds;
  tally.tokens += metrics.newTokens;
  tally.targetCalls += metrics.targetCalls;
  tally.targetSeconds += metrics.targetSeconds;
  tally.draftCalls += metrics.draftCalls;
  tally.draftSeconds += metrics.draftSeconds;
  tally.rounds += metrics.rounds;
  tally.proposed += metrics.proposed;
  tally.alpha += metrics.acceptanceRate * metrics.proposed;
}

/** Runs the bench; returns the number of cases that it measured. */
export async function speculativeBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      backend: { type: 'string', default: 'auto' },
      type: { type: 'string', default: 'f32,bf16,q8' },
      gammas: { type: 'string', default: '2,4,6,8' },
      temperature: { type: 'string', default: '0' },
      threads: { type: 'string', default: '2' },
      passages: { type: 'string', default: '10' },
    },
  });
  const backend = await createBackend(values.backend as BackendName, { threads: Number(values.threads) });
  const gammas = values.gammas.split(',').map(Number);
  const temperature = Number(values.temperature);
  const { facts } = backend;
  console.log(
    `${facts.name} (${facts.level}), ${facts.threads} threads, temperature ${temperature}, ${values.passages} held-out passages`,
  );
  console.log('type   γ      α      c      v  tokens/call  predicted  measured  measured/predicted');
  let ways = 0;
  for (const type of values.type.split(',') as Dtype[]) {
    ways += await measureType(backend, { type, gammas, temperature, passages: Number(values.passages) });
  }
  await backend.dispose();
  return ways;
}

interface Plan {
  readonly type: Dtype;
  readonly gammas: readonly number[];
  readonly temperature: number;
  readonly passages: number;
}

async function measureType(backend: Backend, { type, gammas, temperature, passages }: Plan): Promise<number> {
  const [target, draft] = [await open('modernize-target', backend, type), await open('modernize-draft', backend, type)];
  const drafter = modelDrafter(draft);
  const sources = await heldOut(passages);
  const plain = empty();
  const tallies = gammas.map(empty);
  for (const [i, source] of [sources[0], ...sources].entries()) {
    const warmUp = i === 0;
    const run = async (tally: Tally, gamma: number) => {
      const settings = { gamma, temperature, seed: i, maxNewTokens: 96 };
      const start = performance.now();
      const result = await finish({ target, drafter: gamma > 0 ? drafter : null, source, settings });
      if (!warmUp) add(tally, result, (performance.now() - start) / 1000);
    };
    await run(plain, 0);
    for (const [g, gamma] of gammas.entries()) await run(tallies[g], gamma);
  }
  for (const [g, gamma] of gammas.entries()) console.log(line(type, gamma, tallies[g], plain));
  target.dispose();
  draft.dispose();
  return gammas.length;
}

/** One line of the table. The speed leaves out the encoder, whose work is the same with and without a draft. */
function line(type: Dtype, gamma: number, tally: Tally, plain: Tally): string {
  const step = plain.targetSeconds / plain.targetCalls;
  const alpha = tally.alpha / tally.proposed;
  const c = tally.draftSeconds / tally.draftCalls / step;
  const v = tally.targetSeconds / tally.targetCalls / step;
  const proposals = tally.proposed / tally.rounds; // the mean: the last round of a text may propose fewer than γ
  const predicted = expectedTokens(alpha, proposals) / (proposals * c + v);
  const speed = ({ tokens, targetSeconds, draftSeconds }: Tally) => tokens / (targetSeconds + draftSeconds);
  const measured = speed(tally) / speed(plain);
  const figures = [alpha.toFixed(3), c.toFixed(3), v.toFixed(2)].map((text) => text.padStart(6));
  const perCall = (tally.tokens / tally.targetCalls).toFixed(2).padStart(11);
  const speeds = [`${predicted.toFixed(2)}×`.padStart(10), `${measured.toFixed(2)}×`.padStart(9)];
  return `${type.padEnd(5)} ${String(gamma).padStart(2)} ${figures.join(' ')}  ${perCall} ${speeds.join(' ')}  ${(measured / predicted).toFixed(2).padStart(16)}`;
}

async function open(name: string, backend: Backend, type: Dtype): Promise<T5Model> {
  const checkpoint = await openCheckpoint(join(ROOT, 'models', name));
  const model = await loadModel(checkpoint, backend, { dtype: type });
  await checkpoint.dispose();
  return model;
}

/** Source ids of `count` held-out passages, spread over the books. */
async function heldOut(count: number): Promise<number[][]> {
  const all: { source: string }[] = JSON.parse(readFileSync(join(ROOT, 'models', 'held-out.json'), 'utf8'));
  const checkpoint = await openCheckpoint(join(ROOT, 'models', 'modernize-target'));
  const tokenizer = await checkpoint.tokenizer();
  await checkpoint.dispose();
  const every = Math.max(1, Math.floor(all.length / count));
  return all
    .filter((_, i) => i % every === 0)
    .slice(0, count)
    .map(({ source }) => tokenizer.encode(`modernize: ${source}`));
}

async function finish(request: { target: T5Model; drafter: Drafter | null; source: number[]; settings: Settings }) {
  const run = generate(request);
  for (;;) {
    const { done, value } = await run.next();
    if (done) return value;
  }
}
