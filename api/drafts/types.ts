import type { Drafter } from '../../decoding';
import type { Dtype } from '../../kernels';
import type { Checkpoint, FileSet, ModelFiles } from '../../weights';

/**
 * Where a model is: a directory, a Hugging Face hub id (`google/flan-t5-base`), a URL of a directory, the files themselves (the
 * `File`s of a page, or Blobs or bytes by name), a `FileSet`, or an open checkpoint, which whoever opened it disposes.
 */
export type ModelSource = string | URL | ModelFiles | FileSet | Checkpoint;

/** A draft that has a name. */
export type DraftName =
  /** Copies from the source what follows the longest match of the output so far. */
  | 'copy'
  /** Learns n-grams from the output. */
  | 'ngram'
  /** Every token with the same probability; a drafter to compare with. */
  | 'random'
  /**
   * The target's own decoder, kept a second time in fewer bits: q8, or the type after the colon. What comes after the type drafts for
   * it: `self:q4:copy`.
   */
  | 'self'
  | `self:${string}`
  /** The target's own first N decoder layers. */
  | `layers:${number}`
  /** A table of n-grams that `tandem ngram build` wrote: a file, or in a page an address. */
  | `ngram:${string}`
  /** A model, even when its name is one of the above. */
  | `model:${string}`;

/** A model that drafts, with options of its own. */
export interface DraftModel {
  readonly model: ModelSource;
  /** Type of its weights in memory. Default: `LoadOptions.dtype`, else as stored. */
  readonly dtype?: Dtype;
  /** Branch, tag or commit on the hub. Default `main`. */
  readonly revision?: string;
  /** What drafts for this draft in its turn. It proposes the same tokens, in fewer calls. Default: nothing. */
  readonly draft?: DraftSource;
}

/** The target's own decoder as a draft that has a draft of its own. */
export interface DraftSelf {
  /** The type in which the decoder is kept a second time. */
  readonly self: 'q8' | 'q4' | 'bf16';
  /** What drafts for it. It proposes the same tokens, in fewer calls. Default: nothing. */
  readonly draft?: DraftSource;
}

/** What can propose tokens: a name, a model, or a drafter of your own (see `tandem-t5/core`). */
export type DraftSource = DraftName | ModelSource | DraftModel | DraftSelf | Drafter;
