/**
 * What every backend does before the arithmetic of a kernel: open the boxes, check shapes and aliasing, and give the output
 * its shape. A call that is refused leaves every box as it was. The opened call has the backend's own box types.
 */
import type { ActivationKind, AttentionPart, Bias, KvCache, Logits, Norm, Plan, Tensor, Weight } from '../contract';
import { expectPart } from './attentionPart';
import { type BoxStorage, type BoxTypes, open, openWeight } from './boxes';
import {
  expectApart,
  expectArgument,
  expectCount,
  expectDistinct,
  expectFilled,
  expectIndices,
  expectProduct,
  expectShape,
} from './checks';

export interface EmbedCall<B extends BoxTypes> {
  readonly out: B['tensor'];
  readonly table: B['weight'];
}

export function openEmbed<B extends BoxTypes>(
  storage: BoxStorage<B>,
  out: Tensor,
  table: Weight,
  ids: Int32Array,
): EmbedCall<B> {
  const where = 'embed';
  const weight = openWeight(storage, table, where);
  const output = open(storage, out, where);
  expectCount(where, 'ids.length', ids.length);
  expectIndices(where, 'ids', ids, weight.rows);
  storage.resize(output, ids.length, weight.cols);
  return { out: output, table: weight };
}

export interface OpenedNorm<B extends BoxTypes> {
  /** [x.cols] */
  readonly gain: B['vector'];
  readonly epsilon: number;
}

/** Opens a norm and checks that it fits x. */
function openNorm<B extends BoxTypes>(
  storage: BoxStorage<B>,
  where: string,
  x: B['tensor'],
  { gain, epsilon }: Norm,
): OpenedNorm<B> {
  const vector = open(storage, gain, where);
  expectFilled(where, 'x', x);
  expectShape(where, 'gain.length', x.cols, vector.length);
  expectArgument(epsilon >= 0, where, 'an epsilon from 0 up', epsilon);
  return { gain: vector, epsilon };
}

export interface NormCall<B extends BoxTypes> {
  readonly out: B['tensor'];
  readonly x: B['tensor'];
  readonly norm: OpenedNorm<B>;
}

export function openRmsNorm<B extends BoxTypes>(
  storage: BoxStorage<B>,
  out: Tensor,
  x: Tensor,
  norm: Norm,
): NormCall<B> {
  const where = 'rmsNorm';
  const input = open(storage, x, where);
  const output = open(storage, out, where);
  expectApart(where, output, [input]);
  const opened = openNorm(storage, where, input, norm);
  storage.resize(output, input.rows, input.cols);
  return { out: output, x: input, norm: opened };
}

export interface LinearCall<B extends BoxTypes> {
  readonly out: B['tensor'];
  readonly x: B['tensor'];
  readonly weight: B['weight'];
  readonly residual: B['tensor'] | null;
}

export function openLinear<B extends BoxTypes>(
  storage: BoxStorage<B>,
  out: Tensor,
  x: Tensor,
  weight: Weight,
  residual: Tensor | null,
): LinearCall<B> {
  const where = 'linear';
  const input = open(storage, x, where);
  const matrix = openWeight(storage, weight, where);
  const added = residual === null ? null : open(storage, residual, where);
  const output = open(storage, out, where);
  expectProduct(where, input, matrix, added);
  expectApart(where, output, [input, added]);
  storage.resize(output, input.rows, matrix.rows);
  return { out: output, x: input, weight: matrix, residual: added };
}

export interface NormLinearCall<B extends BoxTypes> {
  readonly x: B['tensor'];
  readonly norm: OpenedNorm<B>;
  /** Each weight with the tensor that receives its product; at least one. */
  readonly products: readonly { readonly weight: B['weight']; readonly out: B['tensor'] }[];
}

export function openNormLinear<B extends BoxTypes>(
  storage: BoxStorage<B>,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): NormLinearCall<B> {
  const where = 'normLinear';
  expectCount(where, 'weights.length', weights.length);
  expectShape(where, 'outs.length', weights.length, outs.length);
  const input = open(storage, x, where);
  const products = weights.map((weight, i) => ({
    weight: openWeight(storage, weight, where),
    out: open(storage, outs[i], where),
  }));
  const opened = openNorm(storage, where, input, norm);
  for (const { weight } of products) expectProduct(where, input, weight, null);
  const outputs = products.map(({ out }) => out);
  for (const [i, out] of outputs.entries()) expectApart(where, out, [input, ...outputs.slice(0, i)]);
  for (const { weight, out } of products) storage.resize(out, input.rows, weight.rows);
  return { x: input, norm: opened, products };
}

export interface ActivationCall<B extends BoxTypes> {
  readonly out: B['tensor'];
  readonly x: B['tensor'];
  readonly gated: B['tensor'] | null;
}

const KINDS: readonly string[] = ['relu', 'gelu', 'gelu_new', 'silu'] satisfies ActivationKind[];

export function openActivation<B extends BoxTypes>(
  storage: BoxStorage<B>,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): ActivationCall<B> {
  const where = 'activation';
  const input = open(storage, x, where);
  const gate = gated === null ? null : open(storage, gated, where);
  const output = open(storage, out, where);
  expectArgument(KINDS.includes(kind), where, 'relu, gelu, gelu_new or silu', kind);
  expectFilled(where, 'x', input);
  if (gate !== null) {
    expectShape(where, 'gated.rows', input.rows, gate.rows);
    expectShape(where, 'gated.cols', input.cols, gate.cols);
  }
  expectApart(where, output, [input, gate]);
  storage.resize(output, input.rows, input.cols);
  return { out: output, x: input, gated: gate };
}

/** The keys and values of the rows of a call, [rows, heads · dKv] each. */
export interface FreshRows {
  readonly keys: Tensor;
  readonly values: Tensor;
}

export interface OpenedFreshRows<B extends BoxTypes> {
  readonly keys: B['tensor'];
  readonly values: B['tensor'];
}

function openFreshRows<B extends BoxTypes>(
  storage: BoxStorage<B>,
  where: string,
  cache: B['cache'],
  fresh: FreshRows,
  rows: number,
): OpenedFreshRows<B> {
  const opened = { keys: open(storage, fresh.keys, where), values: open(storage, fresh.values, where) };
  expectFilled(where, 'keys', opened.keys);
  for (const name of ['keys', 'values'] as const) {
    expectShape(where, `${name}.rows`, rows, opened[name].rows);
    expectShape(where, `${name}.cols (heads · dKv)`, cache.heads * cache.dKv, opened[name].cols);
  }
  return opened;
}

export interface AppendCall<B extends BoxTypes> {
  readonly cache: B['cache'];
  readonly fresh: OpenedFreshRows<B>;
}

export function openAppend<B extends BoxTypes>(
  storage: BoxStorage<B>,
  cache: KvCache,
  keys: Tensor,
  values: Tensor,
  slots: Int32Array,
): AppendCall<B> {
  const where = 'append';
  expectDistinct(where, slots);
  const opened = open(storage, cache, where);
  const fresh = openFreshRows(storage, where, opened, { keys, values }, slots.length);
  expectIndices(where, 'slots', slots, opened.slots);
  return { cache: opened, fresh };
}

export interface AttentionCall<B extends BoxTypes> {
  readonly out: B['tensor'];
  readonly query: B['tensor'];
  /** Keys and values of the rows themselves, for the slots of `plan.write`; null when nothing is appended. */
  readonly fresh: OpenedFreshRows<B> | null;
  readonly cache: B['cache'];
  readonly plan: B['plan'];
  readonly bias: B['bias'] | null;
  /** What is computed: all of `out` where the caller asked for no part. */
  readonly part: AttentionPart;
}

export function openAttention<B extends BoxTypes>(
  storage: BoxStorage<B>,
  out: Tensor,
  query: Tensor,
  fresh: FreshRows | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
  part?: AttentionPart,
): AttentionCall<B> {
  const where = 'attention';
  const arranged = open(storage, plan, where);
  const slab = open(storage, cache, where);
  const { neededSlots } = arranged;
  expectArgument(neededSlots <= slab.slots, where, `a cache of at least ${neededSlots} slots`, slab.slots);
  const output = open(storage, out, where);
  const input = open(storage, query, where);
  const table = bias === null ? null : open(storage, bias, where);
  const width = slab.heads * slab.dKv;
  expectFilled(where, 'query', input);
  if (part) expectPart(part, { rows: input.rows, heads: slab.heads, planRows: arranged.rows });
  else expectShape(where, 'plan.rows', input.rows, arranged.rows);
  expectShape(where, 'query.cols (heads · dKv)', width, input.cols);
  if (table !== null) expectShape(where, 'bias.heads', slab.heads, table.heads);
  expectShape(where, 'plan.write.length', fresh === null ? 0 : arranged.rows, arranged.written);
  expectArgument(!part || fresh === null, where, 'no fresh rows in a part of a call', 'some');
  expectApart(where, output, [input, fresh?.keys ?? null, fresh?.values ?? null]);
  const rows = fresh === null ? null : openFreshRows(storage, where, slab, fresh, arranged.written);
  storage.resize(output, input.rows, width);
  const whole = { planRow: 0, rows: [0, input.rows], heads: [0, slab.heads] } as const;
  return { out: output, query: input, fresh: rows, cache: slab, plan: arranged, bias: table, part: part ?? whole };
}

export interface HeadCall<B extends BoxTypes> {
  readonly out: B['logits'];
  readonly x: B['tensor'];
  /** Null when x is taken as it is. */
  readonly norm: OpenedNorm<B> | null;
  readonly weight: B['weight'];
}

export function openHead<B extends BoxTypes>(
  storage: BoxStorage<B>,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): HeadCall<B> {
  const where = 'head';
  const input = open(storage, x, where);
  const matrix = openWeight(storage, weight, where);
  const output = open(storage, out, where);
  expectProduct(where, input, matrix, null);
  expectArgument(Number.isFinite(scale), where, 'a finite scale', scale);
  const opened = norm === null ? null : openNorm(storage, where, input, norm);
  storage.resizeLogits(output, input.rows, matrix.rows);
  return { out: output, x: input, norm: opened, weight: matrix };
}
