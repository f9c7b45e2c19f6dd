import { NO_RUN, type Run } from '../../page/run';

/** Both runs of a race. */
export interface Both {
  readonly drafted: Run;
  readonly alone: Run;
}

export const NO_RUNS: Both = { drafted: NO_RUN, alone: NO_RUN };

/** Milliseconds of the longer run. */
export function lengthOf({ drafted, alone }: Both): number {
  const ends = [drafted, alone].map(({ tokens, finished }) => finished?.milliseconds ?? tokens.at(-1)?.ms ?? 0);
  return Math.max(1, ...ends);
}
