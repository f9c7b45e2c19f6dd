import { type DecoderRow, loadModel } from '../engine';
import type { Backend, Dtype } from '../kernels';
import { randomCheckpoint, tinyConfig } from './random-checkpoint';
import { seeded } from './seeded';

/** One law of the kernels, what was measured, and the most that it allows. */
export interface KernelFinding {
  readonly law: string;
  readonly measured: number;
  readonly limit: number;
}

/**
 * How far a product may be from the reference, of max|x| · Σ|w|: float32 chains over at most 200 inputs; q8 may also quantise
 * activations to 7 bits, half a step of 2 · max|x| / 127. q4 does the same, and its weights may be larger than those they stand for.
 */
const PRODUCTS: Readonly<Record<Dtype, number>> = { f32: 2.5e-6, bf16: 2.5e-6, q8: 1 / 127, q4: 1 / 110 };
/** How far the logits of a whole model in float32 may be from the reference, of the largest logit. */
const LOGITS = 1e-4;

/**
 * The laws of the kernels in small, on shapes and numbers of a seed: products are those of the reference; a row has the same bits
 * alone and among others; a model's logits are those of the reference, and a chain of rows has the bits of one row at a time.
 */
export async function checkKernels(backend: Backend, reference: Backend, seed: number): Promise<KernelFinding[]> {
  const findings: KernelFinding[] = [];
  for (const type of backend.facts.weightTypes) {
    const products = [1, 2, 3].map((shape) => productCase(seed * 10 + shape));
    let [furthest, different] = [0, 0];
    for (const product of products) {
      const found = await multiply(backend, product, type, product.rows);
      const wanted = await multiply(reference, product, type, product.rows);
      furthest = Math.max(furthest, distanceOf(found, wanted, product));
      const alone = await multiply(backend, product, type, 1);
      different += found.subarray(0, alone.length).some((value, i) => !Object.is(value, alone[i])) ? 1 : 0;
    }
    findings.push({ law: `${type}: products are the reference's`, measured: furthest, limit: PRODUCTS[type] });
    findings.push({ law: `${type}: a row has its bits alone and among others`, measured: different, limit: 0 });
  }
  const together = await modelLogits(backend, seed, true);
  const wanted = await modelLogits(reference, seed, true);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const away = together.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
  findings.push({ law: "a random T5's logits are the reference's", measured: away / largest, limit: LOGITS });
  const single = await modelLogits(backend, seed, false);
  const bits = together.filter((value, i) => !Object.is(value, single[i])).length;
  findings.push({ law: 'a chain of rows has the bits of one row at a time', measured: bits, limit: 0 });
  return findings;
}

interface Product {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  /** [rows, inputs] */
  readonly x: Float32Array;
  /** [outputs, inputs] */
  readonly w: Float32Array;
}

function productCase(seed: number): Product {
  const random = seeded(seed);
  const size = (most: number) => 1 + Math.floor(random() * most);
  const [rows, inputs, outputs] = [1 + size(8), size(200), size(96)];
  const values = (count: number) => Float32Array.from({ length: count }, () => random() * 2 - 1);
  return { rows, inputs, outputs, x: values(rows * inputs), w: values(outputs * inputs) };
}

/** The first `rows` rows of x · wᵀ. */
async function multiply(backend: Backend, product: Product, type: Dtype, rows: number): Promise<Float32Array> {
  const { inputs, outputs, x, w } = product;
  const [input, out, weight] = [backend.tensor(), backend.tensor(), backend.weight(outputs, inputs, type)];
  try {
    backend.fill(weight, 0, new Uint8Array(w.buffer, w.byteOffset, w.byteLength), 'f32');
    backend.write(input, rows, inputs, x.subarray(0, rows * inputs));
    backend.linear(out, input, weight, null);
    return new Float32Array(await backend.read(out));
  } finally {
    for (const box of [input, out, weight]) backend.free(box);
  }
}

/** The largest difference, as a share of max|x| · Σ|w| of its row and output. */
function distanceOf(found: Float32Array, wanted: Float32Array, { inputs, outputs, x, w }: Product): number {
  const sums = Array.from({ length: outputs }, (_, o) =>
    w.subarray(o * inputs, (o + 1) * inputs).reduce((sum, value) => sum + Math.abs(value), 0),
  );
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.reduce((most, value, i) => {
    const away = Math.abs(value - wanted[i]) / (largest * sums[i % outputs]);
    return Math.max(away, most); // a NaN stays, and no limit allows it
  }, 0);
}

/** Logits of eight tokens after a source, [8 × vocabulary], by a random model: all rows in one call, or one row a call. */
async function modelLogits(backend: Backend, seed: number, together: boolean): Promise<Float32Array> {
  const model = await loadModel(randomCheckpoint(tinyConfig(), seed), backend, { dtype: 'f32' });
  const [encoded] = await model.encode([[5, 9, 2, 30, 1]]);
  const stream = encoded.open();
  const rows = [0, 4, 16, 23, 20, 11, 8, 3].map((token, position): DecoderRow => {
    return { stream, token, position, parent: together ? position - 1 : -1 };
  });
  const logits: number[] = [];
  for (const call of together ? [rows] : rows.map((row) => [row])) {
    const view = await model.forward(call);
    for (let r = 0; r < call.length; r++) logits.push(...(await view.read(r)));
    view.dispose();
  }
  for (const one of [stream, encoded, model]) one.dispose();
  return Float32Array.from(logits);
}
