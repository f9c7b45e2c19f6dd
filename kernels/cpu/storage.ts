import type { HostWeight } from '../shared/boxes';
import { Q8_BLOCK, q8Blocks } from '../shared/q8';

export { createHostStorage as createCpuStorage, type HostStorage } from '../shared/hostStorage';

/** Weight rows decoded at a time: 16 rows of 512 float32 are 32 KiB, an L1 cache. */
export const PANEL_ROWS = 16;

/** Rows of a weight matrix as float32: `data[offset + r · cols + i]`. A view for f32, decoded into scratch otherwise. */
export interface Panel {
  data: Float32Array;
  offset: number;
}

/** Buffers that calls reuse; a backend computes one call at a time. */
export class Scratch {
  #panel = new Float32Array(0);
  #inputs = new Float64Array(0);
  #normed = new Float32Array(0);
  readonly #view: Panel = { data: this.#panel, offset: 0 };

  /** Rows `first … first + rows − 1` (rows ≤ PANEL_ROWS); valid until the next panel. */
  panel(weight: HostWeight, first: number, rows: number): Panel {
    const view = this.#view;
    if (weight.type === 'f32') {
      const data = weight.data as Float32Array;
      const from = first * weight.cols;
      const isHuge = data.length > 0x7fffffff; // tiles count in 32 bits
      view.data = isHuge ? data.subarray(from, from + rows * weight.cols) : data;
      view.offset = isHuge ? 0 : from;
      return view;
    }
    const length = PANEL_ROWS * weight.cols;
    if (this.#panel.length < length) this.#panel = new Float32Array(length);
    view.data = this.#panel;
    view.offset = 0;
    if (weight.type === 'bf16')
      decodeBf16(this.#panel, weight.data as Uint16Array, first * weight.cols, rows * weight.cols);
    else decodeQ8(this.#panel, weight, first, rows);
    return view;
  }

  /** Float32 activations widened once, so that the product's inner loop converts weights only. */
  widen(values: Float32Array, length: number): Float64Array {
    if (this.#inputs.length < length) this.#inputs = new Float64Array(length);
    const inputs = this.#inputs;
    for (let i = 0; i < length; i++) inputs[i] = values[i];
    return inputs;
  }

  /** Room for a call's normed activations. */
  normed(length: number): Float32Array {
    if (this.#normed.length < length) this.#normed = new Float32Array(length);
    return this.#normed;
  }
}

/** Upper halves to float32, a shift each. Eight a step: V8 does not unroll, and its checks cost more than the shift. */
function decodeBf16(panel: Float32Array, data: Uint16Array, from: number, length: number): void {
  const bits = new Uint32Array(panel.buffer, 0, length);
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const j = from + i;
    bits[i] = data[j] << 16;
    bits[i + 1] = data[j + 1] << 16;
    bits[i + 2] = data[j + 2] << 16;
    bits[i + 3] = data[j + 3] << 16;
    bits[i + 4] = data[j + 4] << 16;
    bits[i + 5] = data[j + 5] << 16;
    bits[i + 6] = data[j + 6] << 16;
    bits[i + 7] = data[j + 7] << 16;
  }
  for (; i < length; i++) bits[i] = data[from + i] << 16;
}

function decodeQ8(panel: Float32Array, weight: HostWeight, first: number, rows: number): void {
  const { cols, scales } = weight;
  const codes = weight.data as Int8Array;
  const blocks = q8Blocks(cols);
  for (let r = 0; r < rows; r++) {
    for (let block = 0; block < blocks; block++) {
      const from = block * Q8_BLOCK;
      const length = Math.min(Q8_BLOCK, cols - from);
      const scale = scales[(first + r) * blocks + block];
      decodeBlock(panel, r * cols + from, codes, (first + r) * cols + from, length, scale);
    }
  }
}

function decodeBlock(
  panel: Float32Array,
  to: number,
  codes: Int8Array,
  from: number,
  length: number,
  scale: number,
): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const j = from + i;
    const k = to + i;
    panel[k] = codes[j] * scale;
    panel[k + 1] = codes[j + 1] * scale;
    panel[k + 2] = codes[j + 2] * scale;
    panel[k + 3] = codes[j + 3] * scale;
  }
  for (; i < length; i++) panel[to + i] = codes[from + i] * scale;
}
