import type { Notice } from './types';

/** As in Node; without a listener it is a warning of the console. */
export function giveNotice(onNotice: ((notice: Notice) => void) | undefined, notice: Notice): void {
  if (onNotice) onNotice(notice);
  else if (notice.kind !== 'retry') console.warn(notice.message);
}
