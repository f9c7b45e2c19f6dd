import { VERSION } from '../../api';
import { TandemError } from '../../common';
import { oneLine } from '../failure';
import { runFacts } from '../loading';
import { jsonLine } from '../terminal';
import type { BrokenLine, Input } from './inputs';
import type { Printer, Setting } from './printer';
import { settingsInForce } from './settings';

/** Prints one JSON object a line that is not blank: a result, or the error of a line that failed. */
export function jsonPrinter(setting: Setting): Printer {
  const run = factsOf(setting);
  const write = (record: object) => process.stdout.write(jsonLine(record));
  return {
    begin: () => undefined,
    token: () => undefined,
    done: (input, { result, comparison }) => {
      const compared = comparison && {
        equal: comparison.equal,
        measuredSpeedup: comparison.measuredSpeedup,
        autoregressive: comparison.autoregressive,
      };
      write({ ...placeOf(input), ...result, ...compared, ...run });
    },
    failed: (item, error) => {
      const code = error instanceof TandemError ? error.code : null;
      write({ ...placeOf(item), error: { code, message: oneLine(error) }, ...run });
    },
    blank: () => undefined,
    interrupted: () => undefined,
    close: () => undefined,
  };
}

function placeOf(item: Input | BrokenLine) {
  return { index: item.index, line: item.line, input: item.kind === 'input' ? item.source : null };
}

/** What is the same for every line: the models, the backend and the settings in force. */
function factsOf({ tandem, options }: Setting) {
  return {
    ...runFacts(tandem),
    prefix: tandem.prefix,
    version: VERSION,
    settings: settingsInForce(options, tandem.drafter !== null),
  };
}
