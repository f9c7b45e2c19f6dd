/**
 * What every kernel call on ordinary memory does before its arithmetic: open the boxes, check shapes and aliasing, and
 * give the output its shape. A refused call leaves every box as it was.
 */
import type { ActivationKind, Bias, KvCache, Logits, Norm, Plan, Tensor, Weight } from '../contract';
import {
  type HostBias,
  type HostCache,
  type HostLogits,
  type HostPlan,
  type HostTensor,
  type HostWeight,
  open,
  openWeight,
} from './boxes';
import {
  expectApart,
  expectArgument,
  expectCount,
  expectFilled,
  expectIndices,
  expectProduct,
  expectShape,
} from './checks';
import { type HostStorage, openCache } from './hostStorage';

export interface EmbedCall {
  readonly out: HostTensor;
  readonly table: HostWeight;
}

export function openEmbed(storage: HostStorage, out: Tensor, table: Weight, ids: Int32Array): EmbedCall {
  const weight = openWeight(storage.memory, table, 'embed');
  const box = open(storage.memory, out, 'embed');
  expectCount('embed', 'ids.length', ids.length);
  expectIndices('embed', 'ids', ids, weight.rows);
  storage.resize(box, ids.length, weight.cols);
  return { out: box, table: weight };
}

export interface NormCall {
  readonly out: HostTensor;
  readonly x: HostTensor;
  /** [x.cols] */
  readonly gain: Float32Array;
}

/** The gain of a norm that fits x. */
function openGain(storage: HostStorage, where: string, x: HostTensor, norm: Norm): Float32Array {
  const gain = open(storage.memory, norm.gain, where);
  expectFilled(where, 'x', x);
  expectShape(where, 'gain.length', x.cols, gain.length);
  expectArgument(norm.epsilon >= 0, where, 'an epsilon from 0 up', norm.epsilon);
  return gain.data;
}

export function openRmsNorm(storage: HostStorage, out: Tensor, x: Tensor, norm: Norm): NormCall {
  const input = open(storage.memory, x, 'rmsNorm');
  const box = open(storage.memory, out, 'rmsNorm');
  expectApart('rmsNorm', box, [input]);
  const gain = openGain(storage, 'rmsNorm', input, norm);
  storage.resize(box, input.rows, input.cols);
  return { out: box, x: input, gain };
}

export interface LinearCall {
  readonly out: HostTensor;
  readonly x: HostTensor;
  readonly weight: HostWeight;
  readonly residual: HostTensor | null;
}

export function openLinear(
  storage: HostStorage,
  out: Tensor,
  x: Tensor,
  weight: Weight,
  residual: Tensor | null,
): LinearCall {
  const where = 'linear';
  const input = open(storage.memory, x, where);
  const matrix = openWeight(storage.memory, weight, where);
  const added = residual === null ? null : open(storage.memory, residual, where);
  const box = open(storage.memory, out, where);
  expectProduct(where, input, matrix, added);
  expectApart(where, box, [input, added]);
  storage.resize(box, input.rows, matrix.rows);
  return { out: box, x: input, weight: matrix, residual: added };
}

export interface NormLinearCall {
  readonly outs: readonly HostTensor[];
  readonly x: HostTensor;
  /** [x.cols] */
  readonly gain: Float32Array;
  readonly weights: readonly HostWeight[];
}

export function openNormLinear(
  storage: HostStorage,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): NormLinearCall {
  const where = 'normLinear';
  expectCount(where, 'weights.length', weights.length);
  expectShape(where, 'outs.length', weights.length, outs.length);
  const input = open(storage.memory, x, where);
  const matrices = weights.map((weight) => openWeight(storage.memory, weight, where));
  const boxes = outs.map((out) => open(storage.memory, out, where));
  const gain = openGain(storage, where, input, norm);
  for (const matrix of matrices) expectProduct(where, input, matrix, null);
  boxes.forEach((box, i) => {
    expectApart(where, box, [input, ...boxes.slice(0, i)]);
  });
  boxes.forEach((box, i) => {
    storage.resize(box, input.rows, matrices[i].rows);
  });
  return { outs: boxes, x: input, gain, weights: matrices };
}

export interface ActivationCall {
  readonly out: HostTensor;
  readonly x: HostTensor;
  readonly gated: HostTensor | null;
}

const KINDS: readonly string[] = ['relu', 'gelu', 'gelu_new', 'silu'] satisfies ActivationKind[];

export function openActivation(
  storage: HostStorage,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): ActivationCall {
  const where = 'activation';
  const input = open(storage.memory, x, where);
  const gate = gated === null ? null : open(storage.memory, gated, where);
  const box = open(storage.memory, out, where);
  expectArgument(KINDS.includes(kind), where, 'relu, gelu, gelu_new or silu', kind);
  expectFilled(where, 'x', input);
  if (gate !== null) {
    expectShape(where, 'gated.rows', input.rows, gate.rows);
    expectShape(where, 'gated.cols', input.cols, gate.cols);
  }
  expectApart(where, box, [input, gate]);
  storage.resize(box, input.rows, input.cols);
  return { out: box, x: input, gated: gate };
}

export interface AppendCall {
  readonly cache: HostCache;
  readonly keys: HostTensor;
  readonly values: HostTensor;
}

export function openAppend(
  storage: HostStorage,
  cache: KvCache,
  keys: Tensor,
  values: Tensor,
  slots: Int32Array,
): AppendCall {
  const where = 'append';
  expectArgument(new Set(slots).size === slots.length, where, 'a slot of its own for every row', 'one slot twice');
  return openRows(storage, where, open(storage.memory, cache, where), { keys, values }, slots);
}

/** The rows' own keys and values, [rows, heads · dKv] each. */
export interface Fresh {
  readonly keys: Tensor;
  readonly values: Tensor;
}

function openRows(storage: HostStorage, where: string, cache: HostCache, fresh: Fresh, slots: Int32Array): AppendCall {
  const keys = open(storage.memory, fresh.keys, where);
  const values = open(storage.memory, fresh.values, where);
  expectFilled(where, 'keys', keys);
  for (const [name, tensor] of [['keys', keys] as const, ['values', values] as const]) {
    expectShape(where, `${name}.rows`, slots.length, tensor.rows);
    expectShape(where, `${name}.cols (heads · dKv)`, cache.heads * cache.dKv, tensor.cols);
  }
  expectIndices(where, 'slots', slots, cache.slots);
  return { cache, keys, values };
}

export interface AttentionCall {
  readonly out: HostTensor;
  readonly query: HostTensor;
  readonly fresh: AppendCall | null;
  readonly cache: HostCache;
  readonly plan: HostPlan;
  readonly bias: HostBias | null;
}

export function openAttention(
  storage: HostStorage,
  out: Tensor,
  query: Tensor,
  fresh: Fresh | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
): AttentionCall {
  const where = 'attention';
  const owner = storage.memory;
  const arranged = open(owner, plan, where);
  const held = openCache(owner, cache, arranged.needs, where);
  const box = open(owner, out, where);
  const input = open(owner, query, where);
  const table = bias === null ? null : open(owner, bias, where);
  const width = held.heads * held.dKv;
  expectFilled(where, 'query', input);
  expectShape(where, 'plan.rows', input.rows, arranged.rows);
  expectShape(where, 'query.cols (heads · dKv)', width, input.cols);
  if (table !== null) expectShape(where, 'bias.heads', held.heads, table.heads);
  expectShape(where, 'plan.write.length', fresh === null ? 0 : arranged.rows, arranged.write.length);
  expectApart(where, box, [input, fresh?.keys ?? null, fresh?.values ?? null]);
  const rows = fresh === null ? null : openRows(storage, where, held, fresh, arranged.write);
  storage.resize(box, arranged.rows, width);
  return { out: box, query: input, fresh: rows, cache: held, plan: arranged, bias: table };
}

export interface HeadCall {
  readonly out: HostLogits;
  readonly x: HostTensor;
  /** [x.cols], or null when x is taken as it is */
  readonly gain: Float32Array | null;
  readonly weight: HostWeight;
}

export function openHead(
  storage: HostStorage,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): HeadCall {
  const where = 'head';
  const input = open(storage.memory, x, where);
  const matrix = openWeight(storage.memory, weight, where);
  const box = open(storage.memory, out, where);
  expectProduct(where, input, matrix, null);
  expectArgument(Number.isFinite(scale), where, 'a finite scale', scale);
  const gain = norm === null ? null : openGain(storage, where, input, norm);
  storage.resizeLogits(box, input.rows, matrix.rows);
  return { out: box, x: input, gain, weight: matrix };
}
