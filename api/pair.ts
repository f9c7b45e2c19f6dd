/** The pair that comes with the package, as `models/pair.json` describes it. */
export interface BundledPair {
  /** Directories of the two checkpoints. */
  readonly target: string;
  readonly draft: string;
  /** What every input begins with. */
  readonly prefix: string;
  /** Held-out inputs that show it well, without the prefix. */
  readonly examples: readonly string[];
}
