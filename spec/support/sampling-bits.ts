import { philox } from '../../decoding/sampling/random';
import { softmax } from '../../decoding/sampling/softmax';
import { exponentialOf, openSamplingKernel, samplingKernel } from '../../kernels';

export interface SamplingBits {
  /** Hash of what the kernel computes. */
  readonly kernel: string;
  /** Hash of the same by the functions in JavaScript. */
  readonly reference: string;
}

/** Hashes of the probabilities and of exponential numbers of one vocabulary. They must be the same in every engine. */
export async function samplingBits(): Promise<SamplingBits> {
  await openSamplingKernel();
  const kernel = samplingKernel();
  if (!kernel) throw new Error('expected an engine that runs the sampling kernel');
  const vocabulary = 32_128;
  const row = { first: 7, third: 3, fourth: 2 ** 31, key: [2 ** 20 + 7, 5] } as const;
  const logits = Float32Array.from({ length: vocabulary }, (_, i) => ((i * 7919) % 9973) / 250 - 20);
  const uniforms = kernel.uniforms(vocabulary, row);
  const wanted = Float64Array.from({ length: vocabulary }, (_, i) => {
    const [a, b] = philox([row.first, i, row.third, row.fourth], row.key);
    return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
  });
  const temperatures = [1, 0.7];
  const scores = Float64Array.from(logits);
  const largest = scores.reduce((best, score) => Math.max(best, score));
  return {
    kernel: hash([
      ...temperatures.map((t) => kernel.softmax(logits, t) ?? new Float64Array(0)),
      uniforms.map((u) => exponentialOf(u)),
    ]),
    reference: hash([...temperatures.map((t) => softmax(scores, largest, t)), wanted.map((u) => exponentialOf(u))]),
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
