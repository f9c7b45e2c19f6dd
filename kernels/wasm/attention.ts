import type { Bias, KvCache, Plan, Tensor } from '../contract';
import { type FreshRows, openAttention } from '../shared/calls';
import { setCache } from './append';
import { AttentionParameter, Operation } from './layout';
import type { WasmStorage } from './storage';

/** With at most so many rows, a head is one chunk, and that chunk also writes the rows' own keys and values to the cache. */
const FEW_ROWS = 16;
/** With more rows, a head has one chunk for each group of so many rows. */
const GROUP_ROWS = 64;

/**
 * See reference/attention.ts. Scores, softmax and sums are float32, in the order of the key list. Four rows that share a list
 * are computed together.
 */
export function attention(
  storage: WasmStorage,
  out: Tensor,
  query: Tensor,
  fresh: FreshRows | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
): void {
  const call = openAttention(storage, out, query, fresh, cache, plan, bias);
  const { rows, longest, total } = call.plan;
  const { heads, dKv } = call.cache;
  const few = rows <= FEW_ROWS;
  const groups = few ? 1 : Math.ceil(rows / GROUP_ROWS);
  const scoreStride = (longest + 3) & ~3;
  const { first } = storage.banks;
  first.scratch(4 * 4 * scoreStride + 8 * 4 * (dKv + 4) + 64);
  const { i32 } = first.memory.parameters;
  setCache(i32, call.cache, call.fresh);
  i32[AttentionParameter.query] = call.query.at;
  i32[AttentionParameter.rows] = rows;
  i32[AttentionParameter.write] = call.plan.write;
  i32[AttentionParameter.start] = call.plan.start;
  i32[AttentionParameter.count] = call.plan.count;
  i32[AttentionParameter.keys] = call.plan.keys;
  i32[AttentionParameter.position] = call.plan.position;
  i32[AttentionParameter.places] = call.plan.places;
  i32[AttentionParameter.bias] = call.bias?.at ?? 0;
  i32[AttentionParameter.span] = call.bias?.span ?? 0;
  i32[AttentionParameter.offset] = call.bias?.offset ?? 0;
  i32[AttentionParameter.out] = call.out.at;
  i32[AttentionParameter.rowGroups] = groups;
  i32[AttentionParameter.scoreStride] = scoreStride;
  i32[AttentionParameter.appends] = few && call.fresh !== null ? 1 : 0;
  const width = heads * dKv;
  if (!few && call.fresh !== null) first.run(Operation.append, rows, rows * width * 8);
  first.run(Operation.attend, heads * groups, total * width * 8);
}
