import type { Logits, Norm, Tensor, Weight } from '../contract';
import { openHead } from '../shared/calls';
import { multiply } from './matmul';
import { normRows } from './prepare';
import { mayWait } from './screen';
import type { WasmStorage } from './storage';

/**
 * See reference/head.ts. Norm and scale are applied while the rows are packed; then comes a product as in `linear`. With a
 * large vocabulary the product is not computed before the first query, because an arg-max needs only a part of it
 * (`screen.ts`).
 */
export function head(
  storage: WasmStorage,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): void {
  const call = openHead(storage, out, x, norm, weight, scale);
  const { first } = storage.banks;
  const preparation = { x: call.x, norm: call.norm, scale };
  if (mayWait(storage, call.weight, call.x.rows)) {
    const { input } = call.out;
    storage.resize(input, call.x.rows, call.x.cols);
    normRows(first, preparation, input);
    call.out.pending = { input, weight: call.weight };
    return;
  }
  multiply(storage.banks, preparation, [{ weight: call.weight, out: call.out.at, residual: 0 }]);
}
