/**
 * What the page and its worker say to each other. The worker holds the models; the page holds none and never computes a token.
 * Every request has a number, and every answer names it.
 */

import type { ErrorCode } from '../common';
import type { GenerationResult, Settings, SmoothedCosts, TokenOrigin, Trace } from '../decoding';
import type { Dtype } from '../kernels';
import type { Counts, Proof, ProofRequest } from './proof/prove';

/** What proposes tokens in the explorer; `none` decodes with the target alone. */
export type DraftKind = 'model' | 'self' | 'copy' | 'ngram' | 'random' | `layers:${number}` | 'none';

/** A model's files by their names, or the address of their directory. */
export type OwnModel = Readonly<Record<string, Blob>> | string;

/** Where a pair of models comes from. Null as the draft: no model drafts. */
export type PairSource =
  | { readonly kind: 'bundled'; readonly base: string }
  | { readonly kind: 'own'; readonly target: OwnModel; readonly draft: OwnModel | null };

/** What the files of a model say of it, before its weights are loaded. */
export interface Inspected {
  readonly name: string;
  readonly family: string;
  readonly parameters: number;
  /** Bytes of the weights in the files, and in memory as they would be loaded. */
  readonly storedBytes: number;
  readonly memoryBytes: number;
  /** Bytes of files that stay in memory too: what was downloaded; files that were dropped stay on disk. */
  readonly keptBytes: number;
}

export interface LoadRequest {
  readonly source: PairSource;
  /** At most as many as the machine has. */
  readonly threads?: number;
  /** Feature level of wasm; default: the best that works. */
  readonly level?: string;
  /** Type that the target's matrices are kept in; default: as they are stored. */
  readonly dtype?: Dtype;
}

export interface DecodeRequest {
  readonly text: string;
  readonly draft: DraftKind;
  readonly settings: Settings;
  /** Whether each round comes as data that can be drawn. */
  readonly rounds: boolean;
  /** Tokens decoded before what is timed, so that what is timed runs on compiled code. Default none. */
  readonly warmUp?: number;
}

/** Asks what one layer and head of the target read, or the mean of all where it is null. */
export interface AttendRequest {
  readonly text: string;
  /** Ids that the target decided. */
  readonly output: readonly number[];
  /** Whether the output reads the source, or the source itself. */
  readonly kind: 'cross' | 'encoder';
  readonly layer: number | null;
  readonly head: number | null;
}

/** Weights, [readers, read]; each reader's sum to 1. Both sides are named by their tokens. */
export interface ShownAttention {
  readonly readers: readonly string[];
  readonly read: readonly string[];
  readonly weights: Float32Array;
}

/** A loaded model, as data. */
export interface ModelInfo {
  readonly name: string;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly dtype: string;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly heads: number;
}

/** What has been loaded, and what computes. */
export interface EngineInfo {
  /** Counts the pairs that were loaded: work for another pair is no work for this one. */
  readonly stamp: number;
  /** Whether a copy of the target in q8 can draft for it: it is in another type itself. */
  readonly canCopy: boolean;
  readonly target: ModelInfo;
  readonly draft: ModelInfo | null;
  readonly level: string;
  readonly threads: number;
  /** Why there are not more threads, or why another backend was taken. */
  readonly reason: string;
  readonly prefix: string;
  readonly examples: readonly string[];
}

/** One token of one run, with the time at which it was decided, in milliseconds since the run began. */
export interface ShownToken {
  readonly id: number;
  readonly text: string;
  readonly origin: TokenOrigin | 'copied';
  readonly round: number;
  readonly ms: number;
}

/** One token in both distributions of a position. */
export interface ShownEntry {
  readonly id: number;
  readonly label: string;
  readonly target: number;
  readonly draft: number;
}

/** Both models' distributions at one position of a round. */
export interface ShownPosition {
  /** The tokens with the most mass in either, by that mass. */
  readonly entries: readonly ShownEntry[];
  /** What all other tokens have together. */
  readonly rest: { readonly target: number; readonly draft: number };
  /** Σ min(target, draft): the chance that a token drawn from the draft is kept. Null where nothing was proposed. */
  readonly overlap: number | null;
}

/** [0, 1) in pieces, as the sampler lays it out, and the number that fell into one of them. */
export interface ShownDraw {
  /** In ascending order; `id` is null for the tokens between two that are shown. */
  readonly pieces: readonly ShownPiece[];
  /** The number in [0, 1) that the sampler used; null where the distribution has one token, or where tokens race. */
  readonly number: number | null;
  readonly id: number;
  readonly label: string;
}

export interface ShownPiece {
  readonly id: number | null;
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

/** What happened to a proposed token. */
export interface ShownProposal {
  readonly id: number;
  readonly label: string;
  readonly target: number;
  readonly draft: number;
  /** How the draft drew it. */
  readonly drawn: ShownDraw;
  /** `unread` after the first rejection: nobody looks at it. */
  readonly verdict: 'kept' | 'rejected' | 'unread';
  /** The chance that it is kept, and the number that decided; null where no number was needed. */
  readonly chance: number;
  readonly number: number | null;
}

/** A candidate of a tree. */
export interface ShownNode {
  /** Index of the candidate that it follows; −1 for the first position. */
  readonly parent: number;
  readonly label: string;
  readonly target: number;
  readonly draft: number;
  readonly verdict: ShownProposal['verdict'];
}

/** A round, as the page draws it. */
export interface ShownRound {
  readonly index: number;
  /** Decoder ids before this round, the start token included. */
  readonly before: number;
  /** The candidates of a round that proposed a tree; then `proposals` and `positions` are empty. */
  readonly tree: readonly ShownNode[] | null;
  readonly proposals: readonly ShownProposal[];
  /** [proposals.length + 1] */
  readonly positions: readonly ShownPosition[];
  readonly accepted: number;
  /** The distribution that the round's last token came from, and how it was drawn. */
  readonly next: {
    readonly kind: 'corrected' | 'bonus' | 'target';
    readonly from: ShownPosition;
    readonly drawn: ShownDraw;
  };
  /** Labels of the tokens that came out. */
  readonly tokens: readonly string[];
  readonly milliseconds: { readonly draft: number; readonly target: number };
}

/** What calls of a pair cost: c and v, and the speed of a target call of one row. */
export interface MeasuredCosts extends SmoothedCosts {
  /** Milliseconds of a target call of one row, the fastest of several. */
  readonly oneRow: number;
  /** Weights of the decoder and its head, which a call reads once; a row takes two operations for each. */
  readonly decoderWeights: number;
  /** Bytes that one weight takes. */
  readonly weightBytes: number;
}

/** One kernel on one shape, timed. */
export interface MeasuredKernel {
  readonly name: string;
  readonly rows: number;
  /** Arithmetic operations of a call; a multiplication and an addition are two. */
  readonly operations: number;
  /** Bytes that a call must read and write at least. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** A run that has ended. */
export interface Finished {
  readonly text: string;
  readonly result: GenerationResult;
  readonly milliseconds: number;
  readonly trace: Trace | null;
}

/** A statistical experiment: so many samples of the sampler of a proof. */
export type SampleRequest = ProofRequest & { readonly samples: number; readonly firstSeed: number };

export type ToEngine =
  | { readonly id: number; readonly kind: 'prove'; readonly request: ProofRequest }
  | { readonly id: number; readonly kind: 'sample'; readonly request: SampleRequest }
  | { readonly id: number; readonly kind: 'load'; readonly request: LoadRequest }
  | { readonly id: number; readonly kind: 'inspect'; readonly model: OwnModel }
  | { readonly id: number; readonly kind: 'decode'; readonly request: DecodeRequest }
  | { readonly id: number; readonly kind: 'measure'; readonly request: Pick<DecodeRequest, 'text' | 'draft'> }
  | { readonly id: number; readonly kind: 'kernels' }
  | { readonly id: number; readonly kind: 'attend'; readonly request: AttendRequest }
  /** Ends the request `id`. */
  | { readonly id: number; readonly kind: 'cancel' };

/** Answers that are not the last of a request. */
export type Progressed =
  | { readonly kind: 'progress'; readonly what: string; readonly loaded: number; readonly total: number }
  | { readonly kind: 'counts'; readonly counts: Counts; readonly drawn: number }
  | { readonly kind: 'token'; readonly token: ShownToken }
  | { readonly kind: 'round'; readonly round: ShownRound };

export type FromEngine = { readonly id: number } & (
  | Progressed
  | {
      readonly kind: 'done';
      readonly value:
        | EngineInfo
        | Finished
        | MeasuredCosts
        | MeasuredKernel[]
        | Proof
        | Counts
        | Inspected
        | ShownAttention;
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode | 'unknown'; readonly message: string }
);
