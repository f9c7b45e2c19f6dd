import type { HostWeight } from '../shared/hostBoxes';
import { Q4_BYTES, q4Code } from '../shared/q4';
import { Q8_BLOCK, q8Blocks } from '../shared/q8';

/** Weight rows that are decoded together. 16 rows of 512 float32 values are 32 KiB: they fit an L1 cache. */
export const PANEL_ROWS = 16;

/** Rows of a weight matrix as float32: `data[offset + r · cols + i]`. For f32 a view of the weight, otherwise decoded. */
export interface Panel {
  data: Float32Array;
  offset: number;
}

/** Buffers that calls reuse. A backend computes one call at a time, so one set of them is enough. */
export class Scratch {
  #panel = new Float32Array(0);
  #inputs = new Float64Array(0);
  #normed = new Float32Array(0);
  readonly #view: Panel = { data: this.#panel, offset: 0 };

  /** Rows `first … first + rows − 1`, at most PANEL_ROWS of them. Valid until the next call of `panel`. */
  panel(weight: HostWeight, first: number, rows: number): Panel {
    const view = this.#view;
    const length = rows * weight.cols;
    // tile.ts computes with indices of 32 bits. In a larger weight they count from the first row of the panel.
    const isHuge = weight.data.length > 0x7fffffff;
    const from = isHuge ? 0 : first * weight.cols;
    const data = isHuge ? weight.data.subarray(first * weight.cols, first * weight.cols + length) : weight.data;
    if (weight.type === 'f32') {
      view.data = data as Float32Array;
      view.offset = from;
      return view;
    }
    if (this.#panel.length < length) this.#panel = new Float32Array(PANEL_ROWS * weight.cols);
    view.data = this.#panel;
    view.offset = 0;
    if (weight.type === 'bf16') decodeBf16(this.#panel, data as Uint16Array, from, length);
    else if (weight.type === 'q4') decodeQ4(this.#panel, weight, first, rows);
    else decodeQ8(this.#panel, weight, first, rows, data as Int8Array, from);
    return view;
  }

  /** Copies activations to float64, so that the inner loop of a product converts weights only. */
  widen(values: Float32Array, length: number): Float64Array {
    if (this.#inputs.length < length) this.#inputs = new Float64Array(length);
    const inputs = this.#inputs;
    for (let i = 0; i < length; i++) inputs[i] = values[i];
    return inputs;
  }

  /** A buffer for the normed activations of a call. */
  normed(length: number): Float32Array {
    if (this.#normed.length < length) this.#normed = new Float32Array(length);
    return this.#normed;
  }
}

/**
 * Decodes bf16 values: each is the upper 16 bits of a float32. The loop takes eight values a step, because V8 does not unroll
 * loops, and the checks of a loop step cost more than the shift.
 */
function decodeBf16(panel: Float32Array, data: Uint16Array, from: number, length: number): void {
  const bits = new Uint32Array(panel.buffer, 0, length);
  let i = 0;
  for (; i + 8 <= length; i = (i + 8) | 0) {
    const j = (from + i) | 0;
    bits[i] = data[j] << 16;
    bits[(i + 1) | 0] = data[(j + 1) | 0] << 16;
    bits[(i + 2) | 0] = data[(j + 2) | 0] << 16;
    bits[(i + 3) | 0] = data[(j + 3) | 0] << 16;
    bits[(i + 4) | 0] = data[(j + 4) | 0] << 16;
    bits[(i + 5) | 0] = data[(j + 5) | 0] << 16;
    bits[(i + 6) | 0] = data[(j + 6) | 0] << 16;
    bits[(i + 7) | 0] = data[(j + 7) | 0] << 16;
  }
  for (; i < length; i++) bits[i] = data[from + i] << 16;
}

/** Decodes whole rows of codes that start at `codes[from]`: each code times the scale of its block. */
function decodeQ8(
  panel: Float32Array,
  weight: HostWeight,
  first: number,
  rows: number,
  codes: Int8Array,
  from: number,
): void {
  const { cols, scales } = weight;
  const blocks = q8Blocks(cols);
  for (let r = 0; r < rows; r++) {
    for (let block = 0; block < blocks; block++) {
      const at = block * Q8_BLOCK;
      const scale = scales[(first + r) * blocks + block];
      decodeBlock(panel, r * cols + at, codes, from + r * cols + at, Math.min(Q8_BLOCK, cols - at), scale);
    }
  }
}

/** Decodes whole rows of q4 codes, two a byte. */
function decodeQ4(panel: Float32Array, { cols, scales, data }: HostWeight, first: number, rows: number): void {
  const blocks = q8Blocks(cols);
  for (let r = 0; r < rows; r++) {
    for (let block = 0; block < blocks; block++) {
      const at = (first + r) * blocks + block;
      const to = r * cols + block * Q8_BLOCK;
      const length = Math.min(Q8_BLOCK, cols - block * Q8_BLOCK);
      for (let i = 0; i < length; i++) panel[to + i] = q4Code(data as Uint8Array, at * Q4_BYTES, i) * scales[at];
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
  for (; i + 4 <= length; i = (i + 4) | 0) {
    const j = (from + i) | 0;
    const k = (to + i) | 0;
    panel[k] = codes[j] * scale;
    panel[(k + 1) | 0] = codes[(j + 1) | 0] * scale;
    panel[(k + 2) | 0] = codes[(j + 2) | 0] * scale;
    panel[(k + 3) | 0] = codes[(j + 3) | 0] * scale;
  }
  for (; i < length; i++) panel[to + i] = codes[from + i] * scale;
}
