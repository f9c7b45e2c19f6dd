import type { HubNotice } from '../weights';

/** What a program may want to tell its user, none of it an error. Without `onNotice` all but retries are warnings of the process. */
export type Notice =
  | HubNotice
  /** The files of the model say how long a source it was made for, and this one is longer. It is decoded all the same. */
  | { readonly kind: 'long-source'; readonly message: string }
  /** A file of costs of decoding could not be taken, or not be written. They are learnt again. */
  | { readonly kind: 'costs'; readonly message: string };

/** How far loading has come. */
export interface Progress {
  /** `download`: bytes of files from the hub. `load`: bytes of weights read and packed. */
  readonly phase: 'download' | 'load';
  /** Which model. */
  readonly role: 'target' | 'draft';
  /** Name of the model. */
  readonly model: string;
  /** Name of the file or of the tensor. */
  readonly item: string;
  /** Bytes of this model so far, and in all. */
  readonly loaded: number;
  readonly total: number;
}
