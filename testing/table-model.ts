import type { DecoderRow, DecoderStream, Encoded, LogitsView, SequenceModel } from '../engine';
import { seeded } from './seeded';

/** A model given by its logits after each prefix of decoder ids (start token first). */
export interface TableModel extends SequenceModel {
  /** Number of views, streams and sources that are not disposed yet; 0 when decoding has given everything back. */
  open(): number;
  calls(): number;
}

export interface TableOptions {
  readonly vocabulary: number;
  readonly logits: (ids: readonly number[], source: readonly number[]) => readonly number[];
  readonly eosTokens?: readonly number[];
  /** Logits of its first layers alone; left out, those of the whole model. */
  readonly early?: TableOptions['logits'];
}

interface Pending {
  readonly row: number;
  readonly ids: readonly number[];
}

/** What is not disposed yet, and calls so far. */
interface Counts {
  open: number;
  calls: number;
}

class Stream implements DecoderStream {
  ids: readonly number[] = [];
  pending: Pending[] = [];
  chain = true;
  private disposed = false;

  constructor(
    readonly encoded: Encoded,
    private readonly counts: Counts,
  ) {
    counts.open++;
  }

  get length(): number {
    return this.ids.length + (this.chain ? this.pending.length : 0);
  }

  settle(): void {
    if (!this.chain) throw new Error('a tree is still pending');
    if (this.pending.length > 0) this.ids = this.pending[this.pending.length - 1].ids;
    this.pending = [];
  }

  truncate(length: number): void {
    if (this.disposed) throw new Error('truncate after dispose');
    if (this.chain) this.settle();
    this.pending = [];
    this.chain = true;
    if (length > this.ids.length) throw new Error(`truncate to ${length} of ${this.ids.length}`);
    this.ids = this.ids.slice(0, length);
  }

  keep(path: readonly number[]): void {
    const last = this.pending.find(({ row }) => row === path[path.length - 1]);
    if (path.length > 0 && !last) throw new Error(`keep: no pending row ${path}`);
    if (last) this.ids = last.ids;
    this.pending = [];
    this.chain = true;
  }

  fork(path?: readonly number[]): DecoderStream {
    if (!path) this.settle();
    const last = this.pending.find(({ row }) => row === path?.[path.length - 1]);
    if (path && path.length > 0 && !last) throw new Error(`fork: no pending row ${path}`);
    const copy = new Stream(this.encoded, this.counts);
    copy.ids = last?.ids ?? this.ids;
    return copy;
  }

  dispose(): void {
    if (!this.disposed) this.counts.open--;
    this.disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Logits of every row, [rows][vocabulary]. Throws when a row does not follow its stream. */
function run(rows: readonly DecoderRow[], said: TableOptions['logits'], vocabulary: number): number[][] {
  const streams = new Set(rows.map((row) => row.stream as Stream));
  for (const stream of streams) stream.settle();
  const all: (readonly number[])[] = [];
  const out = rows.map(({ stream, position, token, parent }, row) => {
    const own = stream as Stream;
    const before = parent < 0 ? own.ids : all[parent];
    if (before.length !== position) throw new Error(`row ${row}: position ${position} after ${before.length} ids`);
    if (token < 0 || token >= vocabulary) throw new Error(`row ${row}: token ${token}`);
    const ids = [...before, token];
    all.push(ids);
    const expected = own.pending.length === 0 ? -1 : own.pending[own.pending.length - 1].row;
    own.chain = own.chain && parent === expected;
    own.pending.push({ row, ids });
    return [...said(ids, own.encoded.source)];
  });
  return out;
}

/** A SequenceModel that follows the engine's contract, and throws when decoding breaks it. */
export function tableModel({ vocabulary, logits, eosTokens = [], early = logits }: TableOptions): TableModel {
  const counts: Counts = { open: 0, calls: 0 };
  return {
    vocabularySize: vocabulary,
    startToken: 0,
    eosTokens,
    open: () => counts.open,
    calls: () => counts.calls,
    encode: async (sources) =>
      sources.map((given) => {
        const source = 'ids' in given ? given.ids.filter((_, i) => given.mask[i] === 1) : given;
        counts.open++;
        let live = true;
        const encoded: Encoded = {
          source,
          masked: 'ids' in given ? given : undefined,
          open: () => new Stream(encoded, counts),
          dispose: () => {
            if (live) counts.open--;
            live = false;
          },
          [Symbol.dispose]: () => encoded.dispose(),
        };
        return encoded;
      }),
    forward: async (rows, options) => {
      counts.calls++;
      counts.open++;
      return tableView(run(rows, options?.layers ? early : logits, vocabulary), vocabulary, () => counts.open--);
    },
  };
}

function tableView(rows: number[][], vocabulary: number, onDispose: () => void): LogitsView {
  let live = true;
  const row = (r: number) => {
    if (!live) throw new Error('view used after dispose');
    return rows[r];
  };
  const order = (r: number) => [...row(r).keys()].sort((a, b) => rows[r][b] - rows[r][a] || a - b);
  const view: LogitsView = {
    rows: rows.length,
    vocabulary,
    argMax: async () =>
      Int32Array.from(rows, (logits, r) => {
        const [best] = order(r);
        return logits.every((logit) => logit < Number.POSITIVE_INFINITY) && logits[best] > -Infinity ? best : -1;
      }),
    logSumExp: async (r, scale) => Math.log(row(r).reduce((sum, logit) => sum + Math.exp(logit * scale), 0)),
    at: async (at, tokens) => Float32Array.from(at, (r, i) => row(r)[tokens[i]]),
    topK: async (r, k) => {
      const ids = Int32Array.from(order(r).slice(0, k));
      return { ids, values: Float32Array.from(ids, (id) => rows[r][id]) };
    },
    read: async (r) => Float32Array.from(row(r)),
    isWhole: true,
    dispose: () => {
      if (live) onDispose();
      live = false;
    },
    [Symbol.dispose]: () => view.dispose(),
  };
  return view;
}

/** How the logits of a random table are distributed. */
export type TableKind = 'soft' | 'sharp' | 'holes' | 'one-hot';

/** Logits that depend on the seed and on the whole prefix. With `holes`, some tokens have no mass. */
export function randomTable(vocabulary: number, seed: number, kind: TableKind = 'soft'): TableOptions['logits'] {
  return (ids) => {
    const random = seeded(
      ids.reduce((hash, id) => Math.imul(hash ^ (id + 1), 0x01000193) >>> 0, (seed * 2654435761) >>> 0),
    );
    const favourite = Math.floor(random() * vocabulary);
    return Array.from({ length: vocabulary }, (_, token) => {
      const logit = Math.fround((random() * 2 - 1) * (kind === 'sharp' ? 4 : 1.2));
      const empty =
        kind === 'one-hot' ? token !== favourite : kind === 'holes' && token !== favourite && random() < 0.5;
      return empty ? Number.NEGATIVE_INFINITY : logit;
    });
  };
}
