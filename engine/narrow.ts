/** Matrices of a float32 file that bfloat16 holds without loss: kept in it, they give the same bits in half the memory. */
import { type BackendFacts, words32 } from '../kernels';
import type { ResolvedTensors, TensorInfo } from '../weights';

/** The matrices of the decoder's blocks that a step of decoding reads. Cross-attention's keys and values are projected while a source is encoded. */
export function blockMatrices({ decoder }: ResolvedTensors): string[] {
  return (decoder?.blocks ?? []).flatMap(({ attention, cross, feedForward }) => [
    ...[attention.query, attention.key, attention.value, attention.output, cross.query, cross.output],
    ...[...feedForward.inputs, feedForward.output],
  ]);
}

/**
 * The matrices that are looked at: those that a step of decoding reads, whose time is that of their bytes. A call of the encoder has
 * many rows, so arithmetic takes its time, and taking bf16 apart is a little more of it.
 */
export function stepMatrices(tensors: ResolvedTensors): ReadonlySet<string> {
  return new Set([...blockMatrices(tensors), tensors.embedding, tensors.head]);
}

/** Whether a matrix may be kept in bf16, should its values fit: only where that takes fewer bytes. */
export function isNarrowable(info: TensorInfo, facts: BackendFacts): boolean {
  const { type, packing, shape } = info;
  if (packing !== undefined || (type !== 'F32' && type !== 'BF16') || shape.length !== 2) return false;
  return facts.weightTypes.includes('bf16') && savedBytes(info, facts) > 0;
}

/** Bytes that a matrix takes less in bf16 than in f32. */
export function savedBytes({ shape: [rows, cols] }: TensorInfo, { weightBytes }: BackendFacts): number {
  return weightBytes(rows, cols, 'f32') - weightBytes(rows, cols, 'bf16');
}

/** Whether bfloat16 holds each of these float32 values: the lower half of their bits is zero. It looks no further than the first that does not. */
export function fitsBf16(bytes: Uint8Array): boolean {
  const words = words32(bytes);
  for (let i = 0; i < words.length; i++) if ((words[i] & 0xffff) !== 0) return false;
  return true;
}
