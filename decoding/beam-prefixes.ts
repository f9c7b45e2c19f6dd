import type { DecoderRow, DecoderStream } from '../engine';
import type { Beam } from './beam-selection';

/** A hypothesis of this round (a root), or one that the draft continues it to: a row of the target's call. */
export interface Prefix {
  /** Index of the hypothesis that it continues. */
  readonly origin: number;
  readonly parent: Prefix | null;
  /** Its last token. */
  readonly token: number;
  /** Sum of log-probabilities, those since the root being the draft's. */
  readonly logProb: number;
  /** By their last token. */
  readonly children: Map<number, Prefix>;
}

export function rootsOf(beams: readonly Beam[]): Prefix[] {
  return beams.map(({ ids, logProb }, origin) => {
    const token = ids[ids.length - 1];
    return { origin, parent: null, token, logProb, children: new Map() };
  });
}

export function extend(parent: Prefix, token: number, logProb: number): Prefix {
  const child = { origin: parent.origin, parent, token, logProb, children: new Map() };
  parent.children.set(token, child);
  return child;
}

/** Prefixes from the root to this one. */
export function pathTo(prefix: Prefix): Prefix[] {
  const path = [prefix];
  for (let at = prefix.parent; at; at = at.parent) path.push(at);
  return path.reverse();
}

/**
 * One row for every prefix, its parent's row before it, all in one call. `streams[i]` belongs to root i and holds all of its
 * hypothesis but the last token.
 */
export function rowsOf(
  roots: readonly Prefix[],
  streams: readonly DecoderStream[],
): { rows: DecoderRow[]; rowOf: Map<Prefix, number> } {
  const rows: DecoderRow[] = [];
  const rowOf = new Map<Prefix, number>();
  const visit = (prefix: Prefix, position: number): void => {
    const { parent, token, origin } = prefix;
    rowOf.set(prefix, rows.length);
    rows.push({ stream: streams[origin], position, token, parent: parent ? (rowOf.get(parent) as number) : -1 });
    for (const child of prefix.children.values()) visit(child, position + 1);
  };
  for (const root of roots) visit(root, streams[root.origin].length);
  return { rows, rowOf };
}

/** Streams in use, each owned until it is not kept. */
export class OwnedStreams {
  private live = new Set<DecoderStream>();

  add(stream: DecoderStream): DecoderStream {
    this.live.add(stream);
    return stream;
  }

  /** Disposes all others. */
  keepOnly(streams: readonly DecoderStream[]): void {
    const kept = new Set(streams);
    for (const stream of this.live) if (!kept.has(stream)) stream.dispose();
    this.live = kept;
  }
}
