import type { GenerationResult } from '../decoding';
import type { IncrementalDecoder, Tokenizer } from '../weights';
import type { GenerateResult } from './types';

/** Stands in where there is no tokenizer: ids come out, text stays empty. */
const NO_TEXT: IncrementalDecoder = { push: () => '', end: () => '' };

export function textStream(tokenizer: Tokenizer | null): IncrementalDecoder {
  return tokenizer?.incrementalDecoder() ?? NO_TEXT;
}

/** Watches text as it grows for the first of some strings. */
export class StopWatch {
  /** Text so far, cut where a stop string begins once one has been seen. */
  text = '';
  stopped = false;

  constructor(
    private readonly stream: IncrementalDecoder,
    private readonly stops: readonly string[],
  ) {}

  /** Takes a token; gives the text that became certain by it. */
  push(token: number): string {
    return this.append(this.stream.push(token));
  }

  /** Gives the text that was still held back. */
  end(): string {
    return this.append(this.stream.end());
  }

  private append(piece: string): string {
    if (this.stopped) return '';
    const before = this.text.length;
    const text = this.text + piece;
    const starts = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    this.stopped = starts.length > 0;
    this.text = this.stopped ? text.slice(0, Math.min(...starts)) : text;
    return this.text.slice(before);
  }
}

/** A finished run with its text. */
export function resultWith(result: GenerationResult, watch: StopWatch): GenerateResult {
  watch.end();
  const { ids, stopReason, metrics } = result;
  return { text: watch.text, ids, stopReason, metrics };
}
