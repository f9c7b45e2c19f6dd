import type { Bias, KvCache, Plan, Tensor } from '../contract';
import { expectApart, expectFilled, expectShape } from '../shared/checks';
import { type Fresh, openFresh, setCache } from './append';
import { open } from './boxes';
import { Operation, PARAMETER } from './machine';
import { openCache, type WasmStorage } from './storage';

/** Rows up to which a head is one chunk that also files the rows' own keys and values. */
const FEW_ROWS = 16;
/** Rows a chunk beyond that. */
const GROUP_ROWS = 64;

/** See reference/attention.ts. Scores, softmax and sums are float32 in ordinal order, four rows at a time where they share keys. */
export function attention(
  storage: WasmStorage,
  out: Tensor,
  query: Tensor,
  fresh: Fresh | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
): void {
  const where = 'attention';
  const owner = storage.ledger;
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
  expectShape(where, 'plan.write.length', fresh === null ? 0 : arranged.rows, arranged.written);
  expectApart(where, box, [input, fresh?.keys ?? null, fresh?.values ?? null]);
  const rows = fresh === null ? null : openFresh(storage, where, held, fresh, arranged.written);
  storage.resize(box, arranged.rows, width);

  const { machine } = storage;
  const few = arranged.rows <= FEW_ROWS;
  const groups = few ? 1 : Math.ceil(arranged.rows / GROUP_ROWS);
  const scores = (arranged.longest + 3) & ~3;
  machine.scratch(4 * 4 * scores + 8 * 4 * (held.dKv + 4) + 64);
  const { i32 } = machine.memory;
  setCache(machine, held, rows);
  i32[PARAMETER] = input.at;
  i32[PARAMETER + 8] = arranged.rows;
  i32[PARAMETER + 9] = arranged.write;
  i32[PARAMETER + 10] = arranged.start;
  i32[PARAMETER + 11] = arranged.count;
  i32[PARAMETER + 12] = arranged.keys;
  i32[PARAMETER + 13] = arranged.position;
  i32[PARAMETER + 14] = table?.at ?? 0;
  i32[PARAMETER + 15] = table?.span ?? 0;
  i32[PARAMETER + 16] = table?.offset ?? 0;
  i32[PARAMETER + 17] = box.at;
  i32[PARAMETER + 18] = groups;
  i32[PARAMETER + 19] = scores;
  i32[PARAMETER + 20] = few && rows !== null ? 1 : 0;
  if (!few && rows !== null) machine.run(Operation.append, arranged.rows, arranged.rows * width * 8);
  machine.run(Operation.attend, held.heads * groups, arranged.total * width * 8);
}
