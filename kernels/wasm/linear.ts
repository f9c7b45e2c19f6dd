import type { Tensor, Weight } from '../contract';
import { expectApart, expectProduct } from '../shared/checks';
import { open, openWeight } from './boxes';
import { multiply } from './rows';
import type { WasmStorage } from './storage';

/**
 * See reference/linear.ts. Here sums are float32 chains in order of the inputs; q8 weights meet activations in 7-bit
 * codes, a step and a least value for each row and block of 32 inputs, at most (most − least) / 254 off.
 */
export function linear(storage: WasmStorage, out: Tensor, x: Tensor, weight: Weight, residual: Tensor | null): void {
  const where = 'linear';
  const input = open(storage.ledger, x, where);
  const matrix = openWeight(storage.ledger, weight, where);
  const added = residual === null ? null : open(storage.ledger, residual, where);
  const box = open(storage.ledger, out, where);
  expectProduct(where, input, matrix, added);
  expectApart(where, box, [input, added]);
  storage.resize(box, input.rows, matrix.rows);
  const product = { weight: matrix, out: box.at, residual: added?.at ?? 0 };
  multiply(storage.banks, { x: input, gain: 0, epsilon: 0, scale: 1 }, [product]);
}
