import type { Notice } from './types';

/** Gives a notice to who listens. Where nobody does, it is a warning of the process; retries are no news then. */
export function giveNotice(onNotice: ((notice: Notice) => void) | undefined, notice: Notice): void {
  if (onNotice) onNotice(notice);
  else if (notice.kind !== 'retry') process.emitWarning(notice.message, 'TandemWarning');
}
