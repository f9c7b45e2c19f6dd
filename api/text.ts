import type { TokenReading } from '../decoding';
import type { IncrementalDecoder, Tokenizer } from '../weights';

/** Stands in where there is no tokenizer: ids come out, and text stays empty. */
const NO_TEXT: IncrementalDecoder = { push: () => '', end: () => '' };

/** What ends the text of a sequence. */
export interface TextEnds {
  readonly tokenizer: Tokenizer | null;
  readonly eosTokens: readonly number[];
  readonly maxNewTokens: number;
  readonly stop: readonly string[];
}

/**
 * The text of a sequence as it grows. What `read` gives for all tokens, joined, is the whole text: the last token also brings
 * what was still kept back.
 */
export class SequenceText {
  /** Text that is certain so far. */
  text = '';
  private readonly decoder: IncrementalDecoder;
  private readonly stops: StopStrings;
  private tokens = 0;

  constructor(private readonly ends: TextEnds) {
    this.decoder = ends.tokenizer?.incrementalDecoder() ?? NO_TEXT;
    this.stops = new StopStrings(ends.stop);
  }

  /** Takes the next token; tells the text that it made certain, and whether a stop string ends the sequence. */
  read(token: number): TokenReading {
    this.tokens++;
    const { eosTokens, maxNewTokens } = this.ends;
    let text = this.stops.push(this.decoder.push(token));
    const isLast = eosTokens.includes(token) || this.tokens >= maxNewTokens;
    if (isLast || this.stops.found) text += this.stops.push(this.decoder.end()) + this.stops.end();
    this.text += text;
    return { text, stop: this.stops.found };
  }
}

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
    const cut = this.firstStop(text);
    if (cut !== null) {
      this.found = true;
      this.kept = '';
      return text.slice(0, cut);
    }
    const certain = text.length - this.longestBeginning(text);
    this.kept = text.slice(certain);
    return text.slice(0, certain);
  }

  /** Gives what was kept back: no more text comes. */
  end(): string {
    const { kept } = this;
    this.kept = '';
    return kept;
  }

  /** Where the stop string that is complete first begins, or null. */
  private firstStop(text: string): number | null {
    let first: { begin: number; end: number } | null = null;
    for (const stop of this.stops) {
      const begin = text.indexOf(stop);
      if (begin < 0) continue;
      const end = begin + stop.length;
      if (first === null || end < first.end || (end === first.end && begin < first.begin)) first = { begin, end };
    }
    return first?.begin ?? null;
  }

  /** Length of the longest end of the text with which a stop string begins. */
  private longestBeginning(text: string): number {
    let longest = 0;
    for (const stop of this.stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
