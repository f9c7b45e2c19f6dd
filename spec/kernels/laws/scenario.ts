import fc from 'fast-check';
import type { Backend, PlanSpec } from '../../../kernels';
import { matrix, shuffled, uniform } from './arbitraries';
import { type Matrix, pickRows, using } from './subject';

/** One stream of a decoder call: settled tokens before it, and a tree of new rows (parent −1: the settled end). */
export interface StreamCase {
  readonly prefix: number;
  readonly parents: readonly number[];
}

/** An attention call as a decoder makes it. */
export interface Scenario {
  readonly seed: number;
  readonly heads: number;
  readonly dKv: number;
  readonly streams: readonly StreamCase[];
  readonly bias: { readonly span: number; readonly offset: number } | null;
}

/** Rows of all streams in stream order, by where they come from. */
export interface ScenarioRow {
  readonly stream: number;
  /** Index in its stream's tree. */
  readonly node: number;
}

const parents = fc
  .array(fc.nat(), { minLength: 1, maxLength: 6 })
  .map((picks) => picks.map((pick, i) => (pick % (i + 1)) - 1));

const chain = fc.integer({ min: 1, max: 6 }).map((length) => Array.from({ length }, (_, i) => i - 1));

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer({ min: 1, max: 1e9 }),
  heads: fc.integer({ min: 1, max: 4 }),
  dKv: fc.constantFrom(1, 3, 4, 8, 16, 20, 64),
  streams: fc.array(fc.record({ prefix: fc.integer({ min: 0, max: 40 }), parents: fc.oneof(chain, parents) }), {
    minLength: 1,
    maxLength: 4,
  }),
  bias: fc.option(fc.record({ span: fc.integer({ min: 1, max: 30 }), offset: fc.integer({ min: 0, max: 29 }) }), {
    nil: null,
  }),
});

export function rowsOf(s: Scenario): ScenarioRow[] {
  return s.streams.flatMap((stream, i) => stream.parents.map((_, node) => ({ stream: i, node })));
}

/** A row's ancestors in the call, root first, itself last. */
function path(stream: StreamCase, node: number): number[] {
  const nodes: number[] = [];
  for (let at = node; at >= 0; at = stream.parents[at]) nodes.unshift(at);
  return nodes;
}

/** The values of a scenario: those of a token never depend on where or when it is computed. */
export interface ScenarioData {
  /** Settled keys and values of each stream, [prefix, width] */
  readonly settled: readonly { readonly keys: Matrix; readonly values: Matrix }[];
  /** [all rows, width] */
  readonly query: Matrix;
  readonly keys: Matrix;
  readonly values: Matrix;
  /** [heads, span] */
  readonly table: Float32Array;
}

export function dataOf(s: Scenario): ScenarioData {
  const width = s.heads * s.dKv;
  const rows = rowsOf(s).length;
  return {
    settled: s.streams.map(({ prefix }, i) => ({
      keys: matrix(s.seed + 10 + i, prefix, width),
      values: matrix(s.seed + 20 + i, prefix, width),
    })),
    query: matrix(s.seed + 1, rows, width, 2 / Math.sqrt(s.dKv)),
    keys: matrix(s.seed + 2, rows, width),
    values: matrix(s.seed + 3, rows, width),
    table: matrix(s.seed + 4, s.heads, s.bias?.span ?? 1, 2).values,
  };
}

/** How a scenario is run: which rows in which order, on which slots, and with key lists shared or each its own. */
export interface Layout {
  readonly rows: readonly number[];
  readonly slotSeed: number;
  readonly slots: number;
}

/** Runs the chosen rows (closed under ancestry) in one call; their outputs in the order of `layout.rows`. */
export async function attend(backend: Backend, s: Scenario, layout: Layout): Promise<Float32Array> {
  const data = dataOf(s);
  const all = rowsOf(s);
  const slots = shuffled(layout.slotSeed, layout.slots);
  return using(backend, async (boxes) => {
    const cache = boxes.keep(backend.cache(s.heads, s.dKv, layout.slots));
    const settled = data.settled.map(({ keys, values }) => {
      const own = Int32Array.from({ length: keys.rows }, () => slots.pop()!);
      if (own.length > 0) backend.append(cache, boxes.tensor(keys), boxes.tensor(values), own);
      return own;
    });
    const write = Int32Array.from(layout.rows, () => slots.pop()!);
    const slotOf = new Map(layout.rows.map((row, i) => [row, write[i]]));
    const first = (stream: number): number => all.findIndex((row) => row.stream === stream);
    const lists = layout.rows.map((row) => {
      const { stream, node } = all[row];
      const ancestors = path(s.streams[stream], node).map((n) => slotOf.get(first(stream) + n)!);
      return [...settled[stream], ...ancestors];
    });
    const plan = boxes.keep(backend.plan());
    backend.arrange(plan, planOf(lists, write));
    const bias = s.bias === null ? null : boxes.keep(backend.bias(s.heads, s.bias.offset, data.table));
    const pick = (matrix: Matrix) => boxes.tensor(pickRows(matrix, layout.rows));
    const out = boxes.out();
    backend.attention(out, pick(data.query), { keys: pick(data.keys), values: pick(data.values) }, cache, plan, bias);
    expect([out.rows, out.cols]).toEqual([layout.rows.length, s.heads * s.dKv]);
    return backend.read(out);
  });
}

/** A plan whose rows each have a key list of their own; a query stands at its last key. */
export function planOf(lists: readonly (readonly number[])[], write: Int32Array): PlanSpec {
  const start = new Int32Array(lists.length);
  for (let i = 1; i < lists.length; i++) start[i] = start[i - 1] + lists[i - 1].length;
  return {
    rows: lists.length,
    write,
    start,
    count: Int32Array.from(lists, (list) => list.length),
    keys: Int32Array.from(lists.flat()),
    position: Int32Array.from(lists, (list) => list.length - 1),
  };
}

/** A row and all of its ancestors, as indices into `rowsOf`. */
export function lineage(s: Scenario, row: number): number[] {
  const all = rowsOf(s);
  const { stream, node } = all[row];
  const first = all.findIndex((other) => other.stream === stream);
  return path(s.streams[stream], node).map((n) => first + n);
}

/** Enough slots for a scenario, and some to spare. */
export function slotsFor(s: Scenario): number {
  const spare = Math.floor(uniform(s.seed)() * 40);
  return s.streams.reduce((sum, stream) => sum + stream.prefix + stream.parents.length, spare + 1);
}
