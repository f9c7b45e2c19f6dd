import type { ActivationKind, Tensor } from '../contract';
import { expectApart, expectArgument, expectFilled, expectShape } from '../shared/checks';
import { open } from './boxes';
import { Operation, PARAMETER } from './machine';
import type { WasmStorage } from './storage';

const KINDS: readonly ActivationKind[] = ['relu', 'gelu', 'gelu_new', 'silu'];

/** Values a chunk: a multiple of 4. */
const CHUNK = 8192;

/** See reference/activation.ts; float32 within a few ulp, gelu in float64. */
export function activation(
  storage: WasmStorage,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): void {
  const where = 'activation';
  const input = open(storage.ledger, x, where);
  const gate = gated === null ? null : open(storage.ledger, gated, where);
  const box = open(storage.ledger, out, where);
  expectArgument(KINDS.includes(kind), where, 'relu, gelu, gelu_new or silu', kind);
  expectFilled(where, 'x', input);
  if (gate !== null) {
    expectShape(where, 'gated.rows', input.rows, gate.rows);
    expectShape(where, 'gated.cols', input.cols, gate.cols);
  }
  expectApart(where, box, [input, gate]);
  storage.resize(box, input.rows, input.cols);
  const length = input.rows * input.cols;
  const { machine } = storage;
  machine.memory.i32.set([length, input.at, gate?.at ?? 0, box.at, KINDS.indexOf(kind), CHUNK], PARAMETER);
  machine.run(Operation.activation, Math.ceil(length / CHUNK), length * 4);
}
