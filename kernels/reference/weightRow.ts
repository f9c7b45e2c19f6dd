import { bf16ToF32 } from '../shared/float';
import type { HostWeight } from '../shared/hostBoxes';
import { Q4_BYTES, q4Code } from '../shared/q4';
import { Q8_BLOCK, q8Blocks } from '../shared/q8';

/**
 * Writes one row of a weight matrix into `out`, [cols], as the arithmetic uses it: f32 and bf16 values are exact, and a q8
 * value is the float32 nearest to code · scale, which is exact in q4.
 */
export function weightRow(weight: HostWeight, row: number, out: Float64Array): Float64Array {
  const { cols, data, scales } = weight;
  const from = row * cols;
  if (weight.type === 'f32') {
    for (let i = 0; i < cols; i++) out[i] = data[from + i];
  } else if (weight.type === 'bf16') {
    for (let i = 0; i < cols; i++) out[i] = bf16ToF32(data[from + i]);
  } else if (weight.type === 'q4') {
    const blocks = q8Blocks(cols);
    for (let i = 0; i < cols; i++) {
      const block = row * blocks + Math.floor(i / Q8_BLOCK);
      out[i] = q4Code(data as Uint8Array, block * Q4_BYTES, i % Q8_BLOCK) * scales[block];
    }
  } else {
    const blocks = q8Blocks(cols);
    for (let i = 0; i < cols; i++)
      out[i] = Math.fround(data[from + i] * scales[row * blocks + Math.floor(i / Q8_BLOCK)]);
  }
  return out;
}
