import type { DecoderRow, DecoderStream, Encoded, SequenceModel } from '../engine';
import { type Candidate, tokensTo } from './candidates';

/**
 * One model's state along one sequence: the decoder stream may lag behind the ids; the next call feeds what is missing.
 */
export class Sequence {
  /** Rows of the last call that belong here: where they began, and how many were certain ids. */
  private last = { first: 0, certain: 0 };

  private constructor(
    readonly model: SequenceModel,
    private readonly stream: DecoderStream,
  ) {}

  static open(model: SequenceModel, encoded: Encoded): Sequence {
    return new Sequence(model, encoded.open());
  }

  /** An independent copy. */
  fork(): Sequence {
    return new Sequence(this.model, this.stream.fork());
  }

  /**
   * Rows of a call that feeds every id not yet held as one chain, and a tree after them. The last certain row predicts what
   * follows `ids`; each candidate's row what follows the candidate.
   *
   * @param first rows that are already in the call
   */
  rows(ids: readonly number[], tree: readonly Candidate[] = [], first = 0): DecoderRow[] {
    const { stream } = this;
    const held = stream.length;
    const certain = ids.length - held;
    this.last = { first, certain };
    const rows: DecoderRow[] = [];
    for (let i = 0; i < certain; i++) {
      rows.push({ stream, position: held + i, token: ids[held + i], parent: i === 0 ? -1 : first + i - 1 });
    }
    for (const [i, { draw, parent }] of tree.entries()) {
      const position = ids.length - 1 + tokensTo(tree, i).length;
      rows.push({ stream, position, token: draw.token, parent: first + certain + parent });
    }
    return rows;
  }

  /** Of the rows of the last call, keeps the certain ones and the candidates along a path. */
  keep(path: readonly number[]): void {
    const { first, certain } = this.last;
    const rows = Array.from({ length: certain }, (_, i) => first + i);
    this.stream.keep([...rows, ...path.map((candidate) => first + certain + candidate)]);
  }

  /** Forgets keys of all but the first `length` ids. */
  rewind(length: number): void {
    if (this.stream.length > length) this.stream.truncate(length);
  }

  dispose(): void {
    this.stream.dispose();
  }
}
