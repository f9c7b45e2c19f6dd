import type { DecoderRow, DecoderStream } from '../../engine';
import type { Beam } from './selection';

/** A hypothesis of this round (a root), or a continuation of one that the draft found. Each is a row of the target's call. */
export interface Prefix {
  /** Index of the hypothesis that it began from. */
  readonly origin: number;
  readonly parent: Prefix | null;
  /** Its last token. */
  readonly token: number;
  /** Sum of log-probabilities; those after the root are the draft's. */
  readonly logProb: number;
  /** Its continuations, by their last token. */
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
 * One row for every prefix, all in one call; a parent's row comes before its children's. `streams[i]` belongs to root i and has
 * every id of its hypothesis except the last one.
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

/** The decoder streams that a search has open. */
export class OpenStreams {
  private open = new Set<DecoderStream>();

  add(stream: DecoderStream): DecoderStream {
    this.open.add(stream);
    return stream;
  }

  /** Disposes all streams except these. */
  keepOnly(streams: readonly DecoderStream[]): void {
    const kept = new Set(streams);
    for (const stream of this.open) if (!kept.has(stream)) stream.dispose();
    this.open = kept;
  }
}
