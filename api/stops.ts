import type { TextStream } from '../weights';

/** Watches text as it grows for the first of some strings. */
export class StopWatch {
  /** Text so far, cut where a stop string begins once one has been seen. */
  text = '';
  stopped = false;

  constructor(
    private readonly stream: TextStream,
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
