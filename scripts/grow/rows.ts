/** Rows of grown matrices. A place is an index along an axis of the grown matrix; an origin is the index that it copies. */

/** Which index of the source each place of a grown axis copies; −1 for a place that copies none and holds zeros. */
export interface Axis {
  readonly origins: Int32Array;
  /** Length of the source's axis. */
  readonly length: number;
  /** How many places copy one index; the same for all of them. */
  readonly copies: number;
}

/** An axis of whole copies of the source's, one after the other, then zeros. */
export function repeated(length: number, places: number): Axis {
  const copies = Math.floor(places / length);
  const origins = Int32Array.from({ length: places }, (_, i) => (i < copies * length ? i % length : -1));
  return { origins, length, copies };
}

/** The axis of all heads: the numbers of each head are repeated, and then the heads are. */
export function headAxis(heads: Axis, numbers: Axis): Axis {
  const width = numbers.origins.length;
  const origins = Int32Array.from({ length: heads.origins.length * width }, (_, i) => {
    const [head, number] = [heads.origins[Math.floor(i / width)], numbers.origins[i % width]];
    return head < 0 || number < 0 ? -1 : head * numbers.length + number;
  });
  return { origins, length: heads.length * numbers.length, copies: heads.copies * numbers.copies };
}

/** Random numbers with mean 0 and standard deviation 1. */
export type Noise = () => number;

/** Standard deviation of the sum of two uniform numbers from 0 to 65,535. */
const DEVIATION = 65536 / Math.sqrt(6);

/**
 * The noise of one row. It depends on the seed, the tensor's name and the row alone, so that rows can be made in any order.
 * A draw is the sum of the two halves of one xorshift32 step (Marsaglia 2003), which has a triangular distribution.
 */
export function rowNoise(seed: number, tensor: number, row: number): Noise {
  let state = mixed(mixed(mixed(seed) ^ tensor) ^ row) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state & 65535) + (state >>> 16) - 65535) / DEVIATION;
  };
}

/** A number of 32 bits for a tensor's name (FNV-1a). */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The finaliser of murmur3: neighbouring numbers get unrelated ones. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Writes the copies of a row's values: each place gets the value of its origin, times `factor`. */
export function repeatRow(out: Float32Array, row: Float32Array, { origins }: Axis, factor = 1): void {
  for (let i = 0; i < out.length; i++) out[i] = origins[i] < 0 ? 0 : row[origins[i]] * factor;
}

/**
 * Splits a row of weights over the copies of its inputs: the weights of the copies of one input sum to its weight, so that equal copies give
 * what the input gave. Each is an equal share and some noise, so that no two copies have the same weight.
 *
 * @param out [places], written
 * @param row [inputs]
 * @param spread standard deviation of the source matrix: half of it, over √copies, is that of the noise
 * @param factor what every weight is multiplied with
 */
export function splitRow(
  out: Float32Array,
  { row, axis, spread, factor }: { row: Float32Array; axis: Axis; spread: number; factor: number },
  noise: Noise,
): void {
  const { origins, length, copies } = axis;
  const size = (spread * 0.5 * Math.abs(factor)) / Math.sqrt(copies);
  const rest = new Float64Array(length); // what the copies that are left must sum to
  const left = new Int32Array(length).fill(copies);
  for (let i = 0; i < length; i++) rest[i] = row[i] * factor;
  for (let place = 0; place < out.length; place++) {
    const origin = origins[place];
    if (origin < 0) out[place] = 0;
    else if (--left[origin] === 0) out[place] = rest[origin];
    else {
      out[place] = (row[origin] * factor) / copies + noise() * size;
      rest[origin] -= out[place];
    }
  }
}
