import fc from 'fast-check';
import type { Matrix } from './subject';

/** Sizes that sit on, just under and just over the tiles and blocks that kernels like, and any others. */
export function size(largest: number): fc.Arbitrary<number> {
  const edges = [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129].filter((n) => n <= largest);
  return fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 1, max: largest }));
}

/** A seed for `matrix`: generated numbers stand for whole arrays, so that cases shrink in shape and stay fast. */
export const seed: fc.Arbitrary<number> = fc.integer({ min: 1, max: 0x7fffffff });

/** Uniform numbers in 0 … 1 from a seed (mulberry32). */
export function uniform(from: number): () => number {
  let state = from | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values in ±1 with, now and then, a zero or an outlier of ±8, as activations of transformers have them. */
export function matrix(from: number, rows: number, cols: number, factor = 1): Matrix {
  const next = uniform(from ^ Math.imul(rows, 0x9e3779b1) ^ Math.imul(cols, 0x85ebca6b));
  const values = Float32Array.from({ length: rows * cols }, () => {
    const value = next() * 2 - 1;
    const kind = next();
    return (kind < 0.02 ? 0 : kind < 0.04 ? value * 8 : value) * factor;
  });
  return { rows, cols, values };
}

/** A shuffle of 0 … n − 1. */
export function shuffled(from: number, n: number): number[] {
  const next = uniform(from);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
