import type { Backend } from '../contract';
import { KernelError } from '../errors';

/**
 * Known answers before a backend is handed out: gpu drivers have been seen to get float32 wrong (half precision, fast
 * division), and then nothing downstream can be right.
 *
 * @returns whether a row has the same bits alone as among others, as the contract asks
 * @throws KernelError `unavailable` when an answer is wrong
 */
export async function probeAnswers(backend: Backend): Promise<boolean> {
  const inputs = 70;
  const outputs = 5;
  // Whole numbers whose products and sums float32 holds exactly: any order of summation gives the same answer.
  const weights = Float32Array.from({ length: outputs * inputs }, (_, i) => ((i * 37) % 127) - 63);
  const rows = Float32Array.from({ length: 3 * inputs }, (_, i) => ((i * 11) % 31) - 15);
  const exact = await product(backend, weights, rows, 3);
  exact.forEach((found, i) => {
    let expected = 0;
    for (let k = 0; k < inputs; k++)
      expected += rows[Math.floor(i / outputs) * inputs + k] * weights[(i % outputs) * inputs + k];
    if (found !== expected) {
      const { level } = backend.facts;
      throw new KernelError('unavailable', `gpu (${level}): known answer ${i}: expected ${expected}, found ${found}`);
    }
  });
  const rough = rows.map((value, i) => value / 7 + i / 1000);
  const among = await product(backend, weights, rough, 3);
  const alone = await product(backend, weights, rough.slice(inputs, 2 * inputs), 1);
  return alone.every((value, i) => Object.is(value, among[outputs + i]));
}

async function product(backend: Backend, weights: Float32Array, x: Float32Array, rows: number): Promise<Float32Array> {
  const inputs = x.length / rows;
  const weight = backend.weight(weights.length / inputs, inputs, 'f32');
  const [input, out] = [backend.tensor(), backend.tensor()];
  try {
    backend.fill(weight, 0, new Uint8Array(weights.buffer), 'f32');
    backend.write(input, rows, inputs, x);
    backend.linear(out, input, weight, null);
    return await backend.read(out);
  } finally {
    for (const box of [weight, input, out]) backend.free(box);
  }
}
