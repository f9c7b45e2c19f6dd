/** The pair that comes with the package, as `models/pair.json` describes it. */
export interface BundledPair {
  /** Directories of the two checkpoints. */
  readonly target: string;
  readonly draft: string;
  /** What every input begins with. */
  readonly prefix: string;
  /** File of passages held out of training: a JSON list of `source` and `reference`. */
  readonly heldOut: string;
  /** File of text such as the target writes, a sequence a line. */
  readonly text: string;
  /** Held-out inputs that show it well, without the prefix. */
  readonly examples: readonly string[];
}
