import type { Tensor, Weight } from '../contract';
import { openLinear } from '../shared/calls';
import type { WasmWeight } from './boxes';
import { multiply } from './matmul';
import { unchanged } from './prepare';
import type { WasmStorage } from './storage';

/**
 * See reference/linear.ts. Sums are float32 chains in the order of the inputs. For q8 and q4 weights the activations become 7-bit
 * codes, with a step and a least value for each row and block of 32 inputs; each activation changes by at most
 * (most − least) / 254.
 */
export function linear(storage: WasmStorage, out: Tensor, x: Tensor, weight: Weight, residual: Tensor | null): void {
  const call = openLinear(storage, out, x, weight, residual);
  const product = { weight: call.weight, out: call.out.at, residual: call.residual?.at ?? 0 };
  const leavesOut = call.x.mayBeZero && isPlain(storage, call.weight);
  multiply(storage.banks, { ...unchanged(call.x), leavesOut }, [product]);
}

/** Whether inputs that are zero may be left out of products with a weight (`assembly/kept.ts`). */
function isPlain({ banks }: WasmStorage, weight: WasmWeight): boolean {
  if (weight.type !== 'f32' || weight.bank !== 0) return false;
  weight.plain ??= banks.first.exports.arePlain(weight.at, weight.bytes >>> 2) !== 0;
  return weight.plain;
}
