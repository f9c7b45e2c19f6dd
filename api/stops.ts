import type { IncrementalDecoder } from '../weights';

/**
 * Passes text on up to the first stop string. A stop string is found when its last character arrives; of several that end at one
 * character, the longest counts. Text that may turn out to begin a stop string is kept back until that is decided.
 */
export class StopStrings {
  found = false;
  private kept = '';

  constructor(private readonly stops: readonly string[]) {}

  /** Takes text; gives what is certain not to belong to a stop string. */
  push(piece: string): string {
    if (this.found) return '';
    const text = this.kept + piece;
    const cut = firstStop(this.stops, text);
    if (cut !== null) {
      this.found = true;
      this.kept = '';
      return text.slice(0, cut);
    }
    const certain = text.length - longestBeginning(this.stops, text);
    this.kept = text.slice(certain);
    return text.slice(0, certain);
  }

  /** Gives what was kept back: no more text comes. */
  end(): string {
    const { kept } = this;
    this.kept = '';
    return kept;
  }
}

/** Where a token ends in the text with special tokens and in the text without them. */
interface TokenEnd {
  readonly full: number;
  readonly visible: number;
}

/**
 * Finds stop strings that spell special tokens, in a text that leaves special tokens out. They are looked for in the text with
 * special tokens, and their place there is turned into a place in the text without.
 */
export class HiddenStops {
  found = false;
  /** Length of the visible text that belongs to no stop string; once one was found, where the text ends. */
  certain = 0;
  private tail = '';
  private tailStart = 0;
  private ends: TokenEnd[] = [{ full: 0, visible: 0 }];

  /** @param decoder shows special tokens */
  constructor(
    private readonly stops: readonly string[],
    private readonly decoder: IncrementalDecoder,
  ) {}

  /** @param visible length of the visible text with this token */
  push(token: number, visible: number): void {
    if (this.found) return;
    this.tail += this.decoder.push(token);
    this.ends.push({ full: this.tailStart + this.tail.length, visible });
    const cut = firstStop(this.stops, this.tail);
    this.found = cut !== null;
    const length = cut ?? this.tail.length - longestBeginning(this.stops, this.tail);
    const place = this.tailStart + length;
    this.certain = Math.max(this.certain, this.visibleAt(place));
    this.tail = this.tail.slice(length);
    this.tailStart = place;
    const next = this.ends.findIndex(({ full }) => full >= place);
    this.ends = this.ends.slice(Math.max(0, next - 1));
  }

  /** A token's visible text is the end of its full text, or empty. */
  private visibleAt(place: number): number {
    const next = this.ends.findIndex(({ full }) => full >= place);
    const { full, visible } = this.ends[next];
    return next === 0 ? visible : Math.max(this.ends[next - 1].visible, visible - (full - place));
  }
}

/** Where the stop string that is complete first begins, or null. */
function firstStop(stops: readonly string[], text: string): number | null {
  let first: { begin: number; end: number } | null = null;
  for (const stop of stops) {
    const begin = text.indexOf(stop);
    if (begin < 0) continue;
    const end = begin + stop.length;
    if (first === null || end < first.end || (end === first.end && begin < first.begin)) first = { begin, end };
  }
  return first?.begin ?? null;
}

/** Length of the longest end of the text with which a stop string begins. */
function longestBeginning(stops: readonly string[], text: string): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
