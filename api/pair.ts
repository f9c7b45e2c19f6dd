/** The pair of models that comes with the package, as `models/pair.json` describes it. Names are of directories and files. */
export interface BundledPair {
  /** Directories of the two checkpoints. */
  readonly target: string;
  readonly draft: string;
  /** Text that every input begins with. */
  readonly prefix: string;
  /** A file of passages that training did not see: a JSON list of objects with `source` and `reference`. */
  readonly heldOut: string;
  /** A file of text such as the target writes, one sequence a line. */
  readonly text: string;
  /** Inputs to show it with, taken from the held-out passages, without the prefix. */
  readonly examples: readonly string[];
}
