import type { Norm, Tensor } from '../contract';
import { openRmsNorm } from '../shared/calls';
import { normRows } from './prepare';
import type { WasmStorage } from './storage';

/** See reference/rmsNorm.ts. The mean is float64; the two products are float32. */
export function rmsNorm(storage: WasmStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  normRows(storage.banks.first, { x: call.x, norm: call.norm, scale: 1 }, call.out);
}
