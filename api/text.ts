import type { TokenReading } from '../decoding';
import type { IncrementalDecoder, Tokenizer } from '../weights';
import { HiddenStops, StopStrings } from './stops';

/** Stands in where there is no tokenizer: ids come out, and text stays empty. */
const NO_TEXT: IncrementalDecoder = { push: () => '', end: () => '' };

/** What ends the text of a sequence. */
export interface TextEnds {
  readonly tokenizer: Tokenizer | null;
  readonly eosTokens: readonly number[];
  readonly maxNewTokens: number;
  readonly stop: readonly string[];
  /** False shows special tokens in the text. Default true. */
  readonly skipSpecialTokens?: boolean;
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
  /** Stop strings that spell a special token which the text leaves out; null for none. */
  private readonly hidden: HiddenStops | null;
  private tokens = 0;
  /** Length of the text that was decoded, before any stop string. */
  private decoded = 0;
  private queue = '';

  constructor(private readonly ends: TextEnds) {
    const { tokenizer, stop, skipSpecialTokens = true } = ends;
    this.decoder = tokenizer?.incrementalDecoder({ skipSpecialTokens }) ?? NO_TEXT;
    const isHidden = (text: string) => [...(tokenizer?.special.keys() ?? [])].some((special) => text.includes(special));
    const hidden = tokenizer && skipSpecialTokens ? stop.filter(isHidden) : [];
    this.stops = new StopStrings(stop.filter((text) => !hidden.includes(text)));
    this.hidden =
      tokenizer && hidden.length > 0
        ? new HiddenStops(hidden, tokenizer.incrementalDecoder({ skipSpecialTokens: false }))
        : null;
  }

  /** Takes the next token; tells the text that it made certain, and whether a stop string ends the sequence. */
  read(token: number): TokenReading {
    this.tokens++;
    const { eosTokens, maxNewTokens } = this.ends;
    const piece = this.decoder.push(token);
    this.decoded += piece.length;
    this.queue += this.stops.push(piece);
    this.hidden?.push(token, this.decoded);
    const stop = this.stops.found || (this.hidden?.found ?? false);
    const isLast = stop || eosTokens.includes(token) || this.tokens >= maxNewTokens;
    if (isLast) this.queue += this.stops.push(this.decoder.end()) + this.stops.end();
    const text = this.take(isLast);
    this.text += text;
    return { text, stop };
  }

  /** What no stop string can take away any more. */
  private take(isLast: boolean): string {
    const { hidden } = this;
    const limit = hidden && (hidden.found || !isLast) ? hidden.certain - this.text.length : this.queue.length;
    const text = this.queue.slice(0, Math.max(0, limit));
    this.queue = this.queue.slice(text.length);
    return text;
  }
}
