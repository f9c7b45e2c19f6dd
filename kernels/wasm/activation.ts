import type { ActivationKind, Tensor } from '../contract';
import { openActivation } from '../shared/calls';
import { ActivationCode, ActivationParameter, Operation } from './layout';
import type { WasmStorage } from './storage';

const KIND_CODES: Readonly<Record<ActivationKind, number>> = {
  relu: ActivationCode.relu,
  gelu: ActivationCode.gelu,
  gelu_new: ActivationCode.gelu_new,
  silu: ActivationCode.silu,
};

/** Values in a chunk: a multiple of 4. */
const CHUNK_VALUES = 8192;

/** See reference/activation.ts. Float32, within a few ulp; gelu is float64. */
export function activation(
  storage: WasmStorage,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): void {
  const call = openActivation(storage, out, x, kind, gated);
  const length = call.x.rows * call.x.cols;
  const { first } = storage.banks;
  const { i32 } = first.memory.parameters;
  i32[ActivationParameter.values] = length;
  i32[ActivationParameter.x] = call.x.at;
  i32[ActivationParameter.gated] = call.gated?.at ?? 0;
  i32[ActivationParameter.out] = call.out.at;
  i32[ActivationParameter.kind] = KIND_CODES[kind];
  i32[ActivationParameter.chunkValues] = CHUNK_VALUES;
  call.out.mayBeZero = kind === 'relu';
  first.run(Operation.activation, Math.ceil(length / CHUNK_VALUES), length * 4);
}
