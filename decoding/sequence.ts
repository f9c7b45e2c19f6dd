import type { DecoderRow, DecoderStream, Encoded, SequenceModel } from '../engine';
import { type Proposal, tokensTo } from './proposal';

/**
 * One model's decoder state along one sequence. The stream may have fewer ids than the sequence; the next call computes those
 * that are missing.
 */
export class Sequence {
  /** This sequence's rows in the last call: the index of the first one, and how many of them were certain ids. */
  private last = { first: 0, certain: 0 };

  private constructor(
    readonly model: SequenceModel,
    /** The ids whose keys and values are cached. */
    readonly stream: DecoderStream,
  ) {}

  static open(model: SequenceModel, encoded: Encoded): Sequence {
    return new Sequence(model, encoded.open());
  }

  /** A sequence that goes on from a copy of a stream of the model. */
  static from(model: SequenceModel, stream: DecoderStream): Sequence {
    return new Sequence(model, stream.fork());
  }

  /** An independent copy. */
  fork(): Sequence {
    return new Sequence(this.model, this.stream.fork());
  }

  /**
   * Rows for a call: every id that the stream lacks, as a chain, and then the proposed tokens. The last id's row predicts what
   * follows `ids`, and each proposed token's row predicts what follows that token.
   *
   * @param first number of rows that are already in the call
   */
  rows(ids: readonly number[], proposal: Proposal = [], first = 0): DecoderRow[] {
    const { stream } = this;
    const known = stream.length;
    const certain = ids.length - known;
    this.last = { first, certain };
    const rows: DecoderRow[] = [];
    for (let i = 0; i < certain; i++) {
      rows.push({ stream, position: known + i, token: ids[known + i], parent: i === 0 ? -1 : first + i - 1 });
    }
    for (const [i, { draw, parent }] of proposal.entries()) {
      const position = ids.length - 1 + tokensTo(proposal, i).length;
      rows.push({ stream, position, token: draw.token, parent: first + certain + parent });
    }
    return rows;
  }

  /** Keeps, of the rows of the last call, the certain ids and the proposed tokens along a path. */
  keep(path: readonly number[]): void {
    const { first, certain } = this.last;
    const rows = Array.from({ length: certain }, (_, i) => first + i);
    this.stream.keep([...rows, ...path.map((token) => first + certain + token)]);
  }

  /** Forgets all but the first `length` ids, so that the state equals one that never saw the others. */
  rewind(length: number): void {
    if (this.stream.length > length) this.stream.truncate(length);
  }

  dispose(): void {
    this.stream.dispose();
  }
}
