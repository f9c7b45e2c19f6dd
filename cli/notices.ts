import type { HubNotice } from '../weights';
import { oneLine } from './failure';

/** Prints what the hub's client has to say, such as a retry, as one line on standard error. The command goes on. */
export function printNotice(notice: HubNotice): void {
  process.stderr.write(`tandem: ${oneLine(notice.message)}\n`);
}
