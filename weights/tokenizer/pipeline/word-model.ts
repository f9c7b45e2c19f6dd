import type { Steps } from '../steps';

/** What encodes the parts between which a pre-tokeniser has split a text. */
export interface WordModel {
  /** Pieces by id; '' where an id has none. */
  readonly pieces: readonly string[];
  readonly unknownId: number | null;
  /** @param word not empty, and well-formed Unicode */
  encode(word: string): Steps<readonly number[]>;
}
