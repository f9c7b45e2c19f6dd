/** A match and where it begins. */
export interface Match {
  readonly 0: string;
  readonly index: number;
}

/** What a step looks for in a text. */
export interface Pattern {
  /** The matches in turn; nothing where the work is interrupted. */
  find(text: string): Iterable<Match | undefined>;
}
