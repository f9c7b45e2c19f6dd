/**
 * Measures what weights in fewer bits change, by kind of layer: `npm run bench -- quality [--types q8,q4] [--passages 10] [--tokens 64]`.
 * The bundled target writes held-out passages greedily in float32. At each place of these texts, models of which some matrices were
 * quantised are compared with it: the Kullback–Leibler divergence KL(float32 ‖ model) in nats, how often both have the same most probable
 * token (α of a greedy draft), and Σ min(p, q) (α at temperature 1). `self` is the decoder's copy as it drafts, which also quantises activations.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../cli/table';
import { collect, generate } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend, type Dtype } from '../../kernels';
import { type Checkpoint, openCheckpoint } from '../../weights';
import { heldOut } from '../harness/heldOut';

const TARGET = join(__dirname, '..', '..', 'models', 'modernize-target');

/** Matrices of each kind, by their names in the checkpoint. */
const KINDS: readonly (readonly [name: string, tensors: RegExp])[] = [
  ['self-attention', /^decoder\..*\.SelfAttention\.[qkvo]\.weight$/],
  ['cross-attention (queries, output)', /^decoder\..*\.EncDecAttention\.[qo]\.weight$/],
  ['feed-forward', /^decoder\..*\.DenseReluDense\./],
  ['vocabulary', /^(shared|lm_head)\.weight$/],
];

/** A source with the ids that the target writes for it. */
interface Written {
  readonly source: readonly number[];
  readonly ids: readonly number[];
  /** The target's probabilities before each id. */
  readonly probabilities: readonly Float64Array[];
}

/** Runs the bench; returns the number of models that it compared. */
export async function qualityBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      types: { type: 'string', default: 'q8,q4' },
      passages: { type: 'string', default: '10' },
      tokens: { type: 'string', default: '64' },
    },
  });
  const backend = await createBackend('wasm', { threads: 1, wide: 'auto' });
  await using checkpoint = await openCheckpoint(TARGET);
  const texts: Written[] = [];
  {
    using target = await loadModel(checkpoint, backend, { dtype: 'f32' });
    for (const source of await heldOut(TARGET, Number(values.passages))) {
      const settings = { maxNewTokens: Number(values.tokens) };
      const { ids } = await collect(generate({ target, drafter: null, source, settings }));
      texts.push({ source, ids, probabilities: await probabilitiesOf(target, { source, ids }, false) });
    }
  }
  const places = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  console.log(`${checkpoint.name}, ${texts.length} held-out passages, ${places} places`);
  const lines: string[][] = [];
  const compare = async (name: string, type: string, model: T5Model, copy = false) => {
    lines.push([name, type, ...(await figures(model, texts, copy))]);
    model.dispose();
  };
  for (const type of values.types.split(',') as Dtype[]) {
    for (const [name, tensors] of KINDS) {
      const changed = quantised(checkpoint, backend, [[tensors, type]]);
      await compare(name, type, await loadModel(changed, backend, { dtype: 'f32' }));
    }
    const whole = KINDS.map(([, tensors]) => [tensors, type] as const);
    await compare(
      'all of these',
      type,
      await loadModel(quantised(checkpoint, backend, whole), backend, { dtype: 'f32' }),
    );
    await compare('self', type, await loadModel(checkpoint, backend, { dtype: 'f32', copy: type }), true);
  }
  await backend.dispose();
  console.log(table(['matrices', 'type', 'KL', 'same token', 'Σ min(p, q)'], lines));
  return lines.length;
}

/** A checkpoint whose matrices of these names have the float32 values that a type keeps of them. */
function quantised(
  checkpoint: Checkpoint,
  backend: Backend,
  kinds: readonly (readonly [tensors: RegExp, type: Dtype])[],
): Checkpoint {
  const kept = new Map<string, Promise<Uint8Array>>();
  const read = async (name: string, offset = 0, length?: number) => {
    const kind = kinds.find(([tensors]) => tensors.test(name));
    if (kind === undefined) return checkpoint.read(name, offset, length);
    const whole = kept.get(name) ?? keptValues(checkpoint, backend, name, kind[1]);
    kept.set(name, whole);
    const bytes = await whole;
    return bytes.subarray(offset, offset + (length ?? bytes.length));
  };
  const tensors = new Map(checkpoint.tensors);
  for (const [name, info] of tensors) {
    const [rows, cols] = info.shape;
    if (kinds.some(([names]) => names.test(name))) tensors.set(name, { ...info, type: 'F32', bytes: rows * cols * 4 });
  }
  return Object.create(checkpoint, { tensors: { value: tensors }, read: { value: read } }) as Checkpoint;
}

async function keptValues(checkpoint: Checkpoint, backend: Backend, name: string, type: Dtype) {
  const info = checkpoint.tensors.get(name);
  if (info?.type !== 'BF16') throw new Error(`quality: expected ${name} in bfloat16, found ${info?.type}`);
  const [rows, cols] = info.shape;
  const [weight, out] = [backend.weight(rows, cols, type), backend.tensor()];
  backend.fill(weight, 0, await checkpoint.read(name), 'bf16');
  backend.embed(
    out,
    weight,
    Int32Array.from({ length: rows }, (_, i) => i),
  );
  const values = await backend.read(out);
  for (const box of [weight, out]) backend.free(box);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** What a model thinks before each id of a text. */
async function probabilitiesOf(
  model: T5Model,
  { source, ids }: Pick<Written, 'source' | 'ids'>,
  copy: boolean,
): Promise<Float64Array[]> {
  const [encoded] = await model.encode([source]);
  const stream = encoded.open();
  const inputs = [model.startToken, ...ids.slice(0, -1)];
  const rows = inputs.map((token, position) => ({ stream, token, position, parent: position - 1 }));
  const view = await model.forward(rows, { copy });
  const found: Float64Array[] = [];
  for (let row = 0; row < rows.length; row++) {
    const all = await view.logSumExp(row, 1);
    found.push(Float64Array.from(await view.read(row), (logit) => Math.exp(logit - all)));
  }
  for (const box of [view, stream, encoded]) box.dispose();
  return found;
}

async function figures(model: T5Model, texts: readonly Written[], copy: boolean): Promise<string[]> {
  let [divergence, same, common, places] = [0, 0, 0, 0];
  for (const text of texts) {
    const found = await probabilitiesOf(model, text, copy);
    for (const [row, q] of found.entries()) {
      const p = text.probabilities[row];
      p.forEach((value, i) => {
        if (value > 0) divergence += value * Math.log(value / Math.max(q[i], Number.MIN_VALUE));
        common += Math.min(value, q[i]);
      });
      if (largest(p) === largest(q)) same++;
      places++;
    }
  }
  return [(divergence / places).toFixed(5), (same / places).toFixed(4), (common / places).toFixed(4)];
}

function largest(values: Float64Array): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
