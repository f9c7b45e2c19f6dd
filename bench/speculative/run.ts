/**
 * Measures what speculation gains on real text: `npm run bench -- speculative [--dtype f32,bf16,q8] [--gammas 2,4,6,8]
 * [--temperature 0] [--draft modernize-draft,self:q8,self:q4]
 * [--verification token] [--threads 2] [--passages 10]`. It decodes each held-out passage autoregressively and with every γ, one after the
 * other. It prints α, c, v, tokens per call, the measured speed-up, and the speed-up that the formula predicts from α, c and v.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../cli/table';
import {
  addTallies,
  collect,
  generate,
  type Metrics,
  measuredSpeedup,
  metricsOf,
  modelDrafter,
  selfDrafter,
  type Tally,
  type Verification,
} from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, type BackendName, createBackend, type Dtype } from '../../kernels';
import { openCheckpoint } from '../../weights';
import { heldOut } from '../harness/heldOut';
import { threadsFor } from '../harness/threads';

const ROOT = join(__dirname, '..', '..');

/** Runs the bench; returns the number of cases that it measured. */
export async function speculativeBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      backend: { type: 'string', default: 'auto' },
      dtype: { type: 'string', default: 'f32,bf16,q8' },
      gammas: { type: 'string', default: '2,4,6,8' },
      temperature: { type: 'string', default: '0' },
      draft: { type: 'string', default: 'modernize-draft' },
      verification: { type: 'string', default: 'token' },
      threads: { type: 'string', default: '2' },
      passages: { type: 'string', default: '10' },
    },
  });
  const threads = threadsFor(values.backend, Number(values.threads));
  const backend = await createBackend(values.backend as BackendName, { threads, wide: 'auto' });
  const gammas = values.gammas.split(',').map(Number);
  const temperature = Number(values.temperature);
  const verification = values.verification as Verification;
  const { facts } = backend;
  console.log(
    `${facts.name} (${facts.level}${facts.wide?.on ? ', wide' : ''}), ${facts.threads} threads, temperature ${temperature}, ${verification} verification, ${values.passages} held-out passages`,
  );
  const lines: string[][] = [];
  for (const dtype of values.dtype.split(',') as Dtype[]) {
    for (const draft of values.draft.split(',')) {
      const plan = { dtype, draft, gammas, temperature, verification, passages: Number(values.passages) };
      lines.push(...(await measureDraft(backend, plan)));
    }
  }
  await backend.dispose();
  console.log(table(HEAD, lines));
  return lines.length;
}

const HEAD = ['dtype', 'draft', 'γ', 'α', 'c', 'v', 'tokens/call', 'predicted', 'measured', 'measured/predicted'];

interface Plan {
  readonly dtype: Dtype;
  /** A bundled model, or `self:` and the type of the target's copy. */
  readonly draft: string;
  readonly gammas: readonly number[];
  readonly temperature: number;
  readonly verification: Verification;
  readonly passages: number;
}

async function measureDraft(
  backend: Backend,
  { dtype, draft: name, gammas, temperature, verification, passages }: Plan,
): Promise<string[][]> {
  const copy = name.startsWith('self:') ? (name.slice('self:'.length) as Dtype) : undefined;
  const target = await open('modernize-target', backend, { dtype, copy });
  const draft = copy === undefined ? await open(name, backend, { dtype }) : null;
  const drafter = draft === null ? selfDrafter(target, name) : modelDrafter(draft);
  const sources = await heldOut(join(ROOT, 'models', 'modernize-target'), passages);
  const plain: Metrics[] = [];
  const speculative: Metrics[][] = gammas.map(() => []);
  for (const [i, source] of [sources[0], ...sources].entries()) {
    const warmUp = i === 0;
    const run = async (all: Metrics[], gamma: number) => {
      const settings = { gamma, temperature, verification, seed: i, maxNewTokens: 96 };
      const result = await collect(generate({ target, drafter: gamma > 0 ? drafter : null, source, settings }));
      if (!warmUp) all.push(result.metrics);
    };
    await run(plain, 0);
    for (const [g, gamma] of gammas.entries()) await run(speculative[g], gamma);
  }
  const alone = addTallies(plain);
  target.dispose();
  draft?.dispose();
  return gammas.map((gamma, g) => line([dtype, name, String(gamma)], addTallies(speculative[g]), alone));
}

/** One line of the table. The speed leaves out the encoder, whose work is the same with and without a draft. */
function line(names: readonly string[], tally: Tally, plain: Tally): string[] {
  // γ is the mean number of tokens proposed, because the last round of a text may propose fewer.
  const metrics = metricsOf(tally, { plain });
  const [alpha, c, v] = [metrics.acceptanceRate, metrics.costRatio ?? 0, metrics.verifyRatio ?? 0];
  const predicted = metrics.predictedSpeedup ?? 0;
  const decoding = (one: Tally) => ({ ...one, seconds: one.targetSeconds + one.draftSeconds });
  const measured = measuredSpeedup(decoding(tally), decoding(plain));
  const figures = [alpha.toFixed(3), c.toFixed(3), v.toFixed(2), metrics.tokensPerTargetCall.toFixed(2)];
  const speeds = [`${predicted.toFixed(2)}×`, `${measured.toFixed(2)}×`, (measured / predicted).toFixed(2)];
  return [...names, ...figures, ...speeds];
}

async function open(name: string, backend: Backend, types: { dtype: Dtype; copy?: Dtype }): Promise<T5Model> {
  const checkpoint = await openCheckpoint(join(ROOT, 'models', name));
  const model = await loadModel(checkpoint, backend, types);
  await checkpoint.dispose();
  return model;
}
