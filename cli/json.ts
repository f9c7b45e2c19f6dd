import { VERSION } from '../api';
import type { Printer, Setting } from './printer';

/** One JSON object a result, on a line of its own. */
export function jsonPrinter({ tandem, options }: Setting): Printer {
  const { name, level, threads } = tandem.backend;
  const { signal: _signal, stream: _stream, ...settings } = options;
  const run = {
    target: tandem.target.name,
    draft: tandem.drafter?.name ?? null,
    type: tandem.target.dtype,
    backend: { name, level, threads },
    version: VERSION,
    settings,
  };
  return {
    begin: () => undefined,
    token: () => undefined,
    end: ({ text, ids, stopReason, metrics }, comparison) => {
      const compared = comparison && {
        equal: comparison.equal,
        measuredSpeedup: comparison.measuredSpeedup,
        autoregressive: comparison.autoregressive,
      };
      process.stdout.write(`${JSON.stringify({ text, ids, stopReason, metrics, ...compared, ...run })}\n`);
    },
    broken: () => undefined,
    close: () => undefined,
  };
}
