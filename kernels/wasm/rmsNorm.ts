import type { Norm, Tensor } from '../contract';
import { expectApart } from '../shared/checks';
import { open } from './boxes';
import { normRows, openGain } from './rows';
import type { WasmStorage } from './storage';

/** See reference/rmsNorm.ts; the mean is taken in float64, the two products in float32. */
export function rmsNorm(storage: WasmStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const input = open(storage.ledger, x, 'rmsNorm');
  const box = open(storage.ledger, out, 'rmsNorm');
  expectApart('rmsNorm', box, [input]);
  const gain = openGain(storage, 'rmsNorm', input, norm);
  storage.resize(box, input.rows, input.cols);
  normRows(storage.machine, { x: input, gain, epsilon: norm.epsilon, scale: 1 }, box);
}
