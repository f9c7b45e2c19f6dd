import type { DecoderRow, DecoderStream, Encoded, ForwardOptions, LogitsView, SequenceModel } from '../engine';

/**
 * One model's state along one sequence: the decoder stream may lag behind the ids; the next call feeds what is missing.
 */
export class Sequence {
  private readonly stream: DecoderStream;

  constructor(
    readonly model: SequenceModel,
    encoded: Encoded,
  ) {
    this.stream = encoded.open();
  }

  /** Rows that `advance(ids)` would run: the ids whose keys are not held yet. */
  missing(ids: readonly number[]): number {
    return ids.length - this.stream.length;
  }

  /** Feeds every id not yet held as one chain; the view's last row predicts what follows `ids`. */
  async advance(ids: readonly number[], options?: ForwardOptions): Promise<LogitsView> {
    const held = this.stream.length;
    const rows: DecoderRow[] = [];
    for (let position = held; position < ids.length; position++) {
      rows.push({ stream: this.stream, position, token: ids[position], parent: position - held - 1 });
    }
    return this.model.forward(rows, options);
  }

  /** Forgets keys of all but the first `length` ids. */
  rewind(length: number): void {
    if (this.stream.length > length) this.stream.truncate(length);
  }

  release(): void {
    this.stream.release();
  }
}
