export type OnProgress = (what: string, loaded: number, total: number) => void;

/** What a load needs to know besides its request. */
export interface LoadWays {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}
