/** One round of several sequences, as it was timed. */
export interface TimedRound {
  /** Sequences in the round. */
  readonly streams: number;
  /** Rows of the target's call. */
  readonly rows: number;
  /** Draft steps, one after another. */
  readonly steps: number;
  /** Tokens that came out. */
  readonly tokens: number;
  /** Milliseconds of all draft steps; of the target's call and of verification; of opening drafts. */
  readonly draftMs: number;
  readonly targetMs: number;
  readonly openingMs: number;
  /** Drafts opened. */
  readonly opened: number;
  /** Whether a draft also had to read tokens of rounds in which it did not propose. Such a round says nothing of a step's time. */
  readonly caughtUp: boolean;
}
