import type { Trace } from '../../../decoding';

/** Where the copy draft read what it proposed for a place of the output. */
export interface CopyRead {
  /** Place in the source. */
  readonly place: number;
  readonly kept: boolean;
}

/** What the copy draft read, by place of the output; the first token is at 0. */
export function copyReads({ source, rounds, ids }: Trace): Map<number, CopyRead> {
  const all = 'ids' in source ? source.ids : source;
  const reads = new Map<number, CopyRead>();
  for (const { position, proposal, accepted } of rounds) {
    const first = position - 1; // the start token is at 0 there
    const proposed = proposal.map(({ token }) => token);
    if (proposed.length === 0) continue;
    const from = copiedFrom(all, ids.slice(0, first), proposed);
    if (from === null) continue;
    for (let i = 0; i <= accepted && i < proposed.length; i++) {
      if (first + i < ids.length) reads.set(first + i, { place: from + i, kept: i < accepted });
    }
  }
  return reads;
}

/** The first place behind the longest end of the output that stands in the source, if what was proposed stands there. */
function copiedFrom(source: readonly number[], before: readonly number[], proposed: readonly number[]): number | null {
  const stands = (tokens: readonly number[], at: number) => tokens.every((token, i) => source[at + i] === token);
  for (let length = Math.min(before.length, source.length - 1); length > 0; length--) {
    const end = before.slice(before.length - length);
    for (let at = 0; at + length < source.length; at++) {
      if (stands(end, at)) return stands(proposed, at + length) ? at + length : null;
    }
  }
  return null;
}
