import { seeded } from '../../support/random-checkpoint';
import type { Matrix } from '../laws/subject';

/** Approximately normal numbers. */
export function normal(seed: number, rows: number, cols: number, size = 1): Matrix {
  const random = seeded(seed);
  const values = Float32Array.from({ length: rows * cols }, () => size * (random() + random() + random() - 1.5));
  return { rows, cols, values };
}

/** 7-bit codes as `quantizeBlock` in assembly/prepare.ts has them, written anew: each block's least value and a 127th of its range. */
export function coded(x: Float32Array): Float64Array {
  const { fround } = Math;
  const nearest = (value: number) => value + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
  return Float64Array.from(x, (value, i) => {
    const block = x.subarray(i & ~31, (i & ~31) + 32);
    const least = Math.min(...block);
    const step = fround(fround(Math.max(...block) - least) / 127);
    const inverse = step > 0 ? fround(1 / step) : 0;
    const code = nearest(fround(fround(value - least) * inverse));
    return least + step * Math.min(127, Math.max(0, code));
  });
}

/** Values with a longer tail the larger the power: a few that dwarf the rest. */
export function tailed(matrix: Matrix, power: number): Matrix {
  return { ...matrix, values: matrix.values.map((value) => value * Math.abs(value) ** power) };
}

/** Makes a hundred rows, in as many units, whose products with x differ by far less than their codes can tell. */
export function rivals(table: Matrix, x: Float32Array, seed: number): void {
  const { cols, values } = table;
  const random = normal(seed, 100, cols, 2).values;
  const square = x.reduce((sum, value) => sum + value * value, 0);
  for (let i = 0; i < 100; i++) {
    const row = random.subarray(i * cols, (i + 1) * cols);
    const along = row.reduce((sum, value, j) => sum + value * x[j], 0) / square;
    const wanted = 12 + 1e-5 * ((i * 37) % 100);
    row.forEach((value, j) => {
      values[i * 160 * cols + j] = value + (wanted - along) * x[j];
    });
  }
}
