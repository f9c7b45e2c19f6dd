import { seededRandom } from '../../decoding/sampling/random';
import { softmax } from '../../decoding/sampling/softmax';
import { exponentialOf, openSamplingKernel, samplingKernel } from '../../kernels';

export interface SamplingBits {
  /** Hash of what the kernel computes. */
  readonly kernel: string;
  /** Hash of the same by the functions in JavaScript. */
  readonly reference: string;
}

/** Hashes of the probabilities and exponential numbers of one vocabulary. They must be the same in every engine. */
export async function samplingBits(): Promise<SamplingBits> {
  await openSamplingKernel();
  const kernel = samplingKernel();
  if (!kernel) throw new Error('expected an engine that runs the sampling kernel');
  const vocabulary = 32_128;
  const random = seededRandom(2 ** 40 + 7);
  const at = { sequence: 'bits', position: 3 };
  const logits = Float32Array.from({ length: vocabulary }, (_, i) => ((i * 7919) % 9973) / 250 - 20);
  const row = random.exponential.uniforms?.(vocabulary, at) ?? new Float64Array(0);
  const numbers = Float64Array.from({ length: vocabulary }, (_, token) => random.exponential(token, at));
  const temperatures = [1, 0.7];
  const scores = Float64Array.from(logits);
  const largest = scores.reduce((best, score) => Math.max(best, score));
  return {
    kernel: hash([
      ...temperatures.map((t) => kernel.softmax(logits, t) ?? new Float64Array(0)),
      row.map((u) => exponentialOf(u)),
    ]),
    reference: hash([...temperatures.map((t) => softmax(scores, largest, t)), numbers]),
  };
}

/** FNV-1a over bytes. */
function hash(rows: readonly Float64Array[]): string {
  let value = 0x811c9dc5;
  for (const row of rows) {
    for (const byte of new Uint8Array(row.buffer, row.byteOffset, row.byteLength)) {
      value = Math.imul(value ^ byte, 0x01000193) >>> 0;
    }
  }
  return value.toString(16);
}
