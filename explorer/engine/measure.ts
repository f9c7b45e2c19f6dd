import { TandemError } from '../../common';
import { measureCosts, smoothed } from '../../decoding';
import type { T5Model } from '../../engine';
import type { DecodeRequest, MeasuredCosts } from '../protocol';
import type { Models } from './models';

/** Rows of the largest call that is timed: those of a round with the largest γ of the page's slider. */
const ROWS = 13;
/** Calls of one row that are timed; the fastest counts. */
const REPEATS = 5;
/** Bytes of a weight: q8 has a scale for each block of 32, and q4 a scale and a sum of its codes. */
const BYTES = { f32: 4, bf16: 2, q8: 1.125, q4: 0.625 } as const;

/** Measures the costs of the pair for one draft, and how long a call of one row takes. */
export async function measure(
  models: Models,
  { text, draft }: Pick<DecodeRequest, 'text' | 'draft'>,
  signal: AbortSignal,
): Promise<MeasuredCosts> {
  const drafter = await models.drafter(draft, signal);
  if (drafter === null) throw new TandemError('option-invalid', 'draft: expected one to measure, found none');
  const source = models.encode(text);
  const costs = smoothed(await measureCosts(models.target, drafter, { source, signal, rows: ROWS }));
  const { target } = models;
  const oneRow = await oneRowOf(target, source);
  const weightBytes = BYTES[target.narrowed > 0 ? 'bf16' : target.dtype];
  return { ...costs, oneRow, decoderWeights: decoderWeights(target), weightBytes };
}

async function oneRowOf(target: T5Model, source: readonly number[]): Promise<number> {
  const [encoded] = await target.encode([source]);
  const stream = encoded.open();
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= REPEATS; i++) {
    const start = performance.now();
    const view = await target.forward([{ stream, position: 0, token: target.startToken, parent: -1 }]);
    await view.argMax();
    view.dispose();
    stream.truncate(0);
    if (i > 0) fastest = Math.min(fastest, performance.now() - start); // the first call warms up
  }
  encoded.dispose();
  return fastest;
}

/** Self-attention has four matrices, cross-attention two (its keys and values are made once), and the head reads every token. */
function decoderWeights({ config }: T5Model): number {
  const { dModel, dFf, inner, decoderLayers, vocabularySize, feedForward } = config;
  const layer = 6 * dModel * inner + (feedForward.gated ? 3 : 2) * dModel * dFf;
  return decoderLayers * layer + vocabularySize * dModel;
}
