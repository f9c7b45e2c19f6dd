import type { Notice } from '../api';
import { oneLine } from './failure';

/** Prints a notice, such as a retry of the hub's client, as one line on standard error. The command goes on. */
export function printNotice(notice: Notice): void {
  process.stderr.write(`tandem: ${oneLine(notice.message)}\n`);
}
