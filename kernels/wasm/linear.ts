import type { Tensor, Weight } from '../contract';
import { openLinear } from '../shared/calls';
import { q8Blocks } from '../shared/q8';
import type { WasmWeight } from './boxes';
import { Size } from './layout';
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
  const leavesOut = call.x.mayBeZero && mayLeaveOut(storage, call.weight, call.x.rows);
  multiply(storage.banks, { ...unchanged(call.x), leavesOut }, [product]);
}

/**
 * Whether inputs that are zero may be left out of products with a weight (`assembly/kept.ts`). Several rows of codes would keep most
 * groups of four: with 3 % of the inputs in use one row keeps 11 % of the groups, and six rows 52 %.
 */
function mayLeaveOut(storage: WasmStorage, weight: WasmWeight, rows: number): boolean {
  if (weight.bank !== 0 || !(weight.type === 'f32' || (weight.type === 'q8' && rows === 1))) return false;
  weight.plain ??= isPlain(storage, weight);
  return weight.plain;
}

/** Whether the weights of the panels with outputs allow it; those behind them were never written. */
function isPlain({ banks: { first } }: WasmStorage, { type, at, rows, cols }: WasmWeight): boolean {
  const panels = Math.ceil(rows / Size.panelOutputs);
  if (type === 'f32') return first.exports.arePlain(at, panels * Size.panelOutputs * cols) !== 0;
  return first.exports.areScalesPlain(at, panels * q8Blocks(cols)) !== 0;
}
