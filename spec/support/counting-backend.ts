import type { Backend, BackendFacts, PlanSpec } from '../../kernels';

type Box = { kind: string; rows: number; cols: number; slots: number; longest: number };

/**
 * A backend that computes nothing. It gives boxes their shapes and adds up the multiply-adds of its calls, so that a law about
 * long sources needs no long computation.
 */
export function countingBackend(facts: Pick<BackendFacts, 'name' | 'threads'>): {
  readonly backend: Backend;
  /** The multiply-adds since the last time that this was asked. */
  readonly take: () => number;
} {
  let done = 0;
  const box = (kind: string, shape: Partial<Box> = {}) => ({ kind, rows: 0, cols: 0, slots: 0, longest: 0, ...shape });
  const shaped = (out: unknown, rows: number, cols: number, each: number) => {
    Object.assign(out as Box, { rows, cols });
    done += rows * cols * each;
  };
  const linear: Backend['linear'] = (out, x, weight) => shaped(out, x.rows, weight.rows, x.cols);
  const calls: Partial<Backend> = {
    weight: (rows, cols, type) => ({ ...box('weight', { rows, cols }), type }) as never,
    fill: () => undefined,
    vector: (values) => ({ ...box('vector'), length: values.length }) as never,
    bias: (heads, offset, table) => ({ ...box('bias'), heads, offset, span: table.length / heads }) as never,
    tensor: () => box('tensor') as never,
    logits: () => box('logits') as never,
    plan: () => box('plan') as never,
    cache: (heads, dKv, slots) => ({ ...box('cache', { slots }), heads, dKv }) as never,
    grow: (cache, slots) => void Object.assign(cache, { slots }),
    arrange: (plan, { rows, count }: PlanSpec) =>
      void Object.assign(plan, { rows, longest: count.reduce((most, keys) => Math.max(most, keys)) }),
    embed: (out, table, ids) => shaped(out, ids.length, table.cols, 1),
    rmsNorm: (out, x) => shaped(out, x.rows, x.cols, 1),
    linear,
    normLinear: (outs, x, _, weights) => {
      for (const [i, weight] of weights.entries()) linear(outs[i], x, weight, null);
    },
    activation: (out, x) => shaped(out, x.rows, x.cols, 1),
    append: (_, keys) => {
      done += 2 * keys.rows * keys.cols;
    },
    attention: (...call) => {
      const [out, query, , { heads, dKv }, plan, , part] = call;
      const [rows, chosen] = [part?.rows ?? [0, query.rows], part?.heads ?? [0, heads]];
      Object.assign(out, { rows: query.rows, cols: query.cols });
      done += 2 * (rows[1] - rows[0]) * (chosen[1] - chosen[0]) * dKv * (plan as unknown as Box).longest;
    },
    head: (out, x, _, weight) => linear(out as never, x, weight, null),
    read: async ({ rows, cols }) => new Float32Array(rows * cols),
    free: () => undefined,
  };
  const allFacts = {
    ...{ ...facts, level: 'none', weightTypes: ['f32'] as const, capacityBytes: Number.POSITIVE_INFINITY },
    ...{ weightBytes: () => 0, allocatedBytes: () => 0 },
  };
  const take = () => {
    const found = done;
    done = 0;
    return found;
  };
  return { backend: { ...calls, facts: allFacts } as unknown as Backend, take };
}
