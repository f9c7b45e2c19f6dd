import type { AttentionPart, Bias, KvCache, Plan, Tensor } from '../contract';
import { type FreshRows, openAttention } from '../shared/calls';
import { setCache } from './append';
import { AttentionParameter, Operation, Size } from './layout';
import type { WasmStorage } from './storage';

/** With at most so many rows, a head is one chunk, and that chunk also writes the rows' own keys and values to the cache. */
const FEW_ROWS = 16;
/** With more rows, a head has one chunk for each group of so many rows. */
const GROUP_ROWS = 64;

/** Rows that a tile has at most, and at least where a list is very long. */
const TILE_ROWS = { most: 32, least: 8 } as const;
/** Scores that a thread keeps for a tile of more than the least rows. */
const TILE_SCORES = 1 << 21;

/** Rows of a tile for lists of `longest` keys. A list that stays in the cache by itself needs no tiles. */
function tileRowsFor(longest: number): number {
  if (longest <= 2 * Size.tileKeys) return 0;
  const fitting = Math.floor(TILE_SCORES / longest / 4) * 4;
  return Math.min(TILE_ROWS.most, Math.max(TILE_ROWS.least, fitting));
}

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
  part?: AttentionPart,
): void {
  const call = openAttention(storage, out, query, fresh, cache, plan, bias, part);
  const { longest, total } = call.plan;
  const [firstRow, lastRow] = call.part.rows;
  const rows = lastRow - firstRow;
  const [firstHead, lastHead] = call.part.heads;
  const listed = call.part.planRow * 4;
  const { heads, dKv } = call.cache;
  const few = rows <= FEW_ROWS;
  const groups = few ? 1 : Math.ceil(rows / GROUP_ROWS);
  const scoreStride = (longest + 3) & ~3;
  const tileRows = Math.min(tileRowsFor(longest), rows & ~3);
  const together = Math.max(4, tileRows);
  const { first } = storage.banks;
  first.scratch(together * (4 * scoreStride + 2 * 4 * (dKv + 4) + 32) + 64);
  const { i32 } = first.memory.parameters;
  setCache(i32, call.cache, call.fresh);
  i32[AttentionParameter.query] = call.query.at;
  i32[AttentionParameter.rows] = lastRow;
  i32[AttentionParameter.firstRow] = firstRow;
  i32[AttentionParameter.firstHead] = firstHead;
  i32[AttentionParameter.tileRows] = tileRows;
  i32[AttentionParameter.write] = call.plan.write;
  i32[AttentionParameter.start] = call.plan.start + listed;
  i32[AttentionParameter.count] = call.plan.count + listed;
  i32[AttentionParameter.keys] = call.plan.keys;
  i32[AttentionParameter.position] = call.plan.position + listed;
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
  const work = (total / call.plan.rows) * rows * dKv * (lastHead - firstHead) * 8;
  first.run(Operation.attend, (lastHead - firstHead) * groups, work);
}
