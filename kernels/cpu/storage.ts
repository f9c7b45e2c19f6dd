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
      view.data = weight.data as Float32Array;
      view.offset = first * weight.cols;
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

/** Upper halves to float32: a shift in place of 65,536 table entries. */
function decodeBf16(panel: Float32Array, data: Uint16Array, from: number, length: number): void {
  const bits = new Uint32Array(panel.buffer, 0, length);
  for (let i = 0; i < length; i++) bits[i] = data[from + i] << 16;
}

function decodeQ8(panel: Float32Array, weight: HostWeight, first: number, rows: number): void {
  const { cols, scales } = weight;
  const data = weight.data as Int8Array;
  const blocks = q8Blocks(cols);
  for (let r = 0; r < rows; r++) {
    const from = (first + r) * cols;
    for (let block = 0; block < blocks; block++) {
      const scale = scales[(first + r) * blocks + block];
      const end = Math.min((block + 1) * Q8_BLOCK, cols);
      for (let i = block * Q8_BLOCK; i < end; i++) panel[r * cols + i] = data[from + i] * scale;
    }
  }
}
