import type { Input } from './inputs';
import { legend, paint } from './paint';
import type { Printer, Setting } from './printer';
import { type Finished, reportLines } from './report';

/**
 * Text as it comes: coloured with a report on a terminal, bare to a pipe (a report that was asked for then goes to standard
 * error). The showcase prints everything to standard output.
 */
export function textPrinter(setting: Setting): Printer {
  const { colours, showcase, tandem } = setting;
  const terminal = process.stdout.isTTY === true;
  const write = (text: string) => process.stdout.write(text);
  const aside = (text: string) => (terminal || showcase ? process.stdout : process.stderr).write(text);
  const told = (input: Input) => ('text' in input ? input.text : input.ids.join(','));
  const finished: Finished[] = [];
  let corrections = 0;
  let open = false;
  if (showcase) aside(`${colours.bold('tandem')}: ${colours.dim(`${pairLine(setting)}`)}\n\n`);
  return {
    begin: (input) => {
      corrections = 0;
      if (showcase) write(`${colours.dim(told(input))}\n`);
    },
    token: (token) => {
      if (token.origin === 'corrected') corrections++;
      open = true;
      write(tandem.tokenizer ? paint(colours, token) : paint(colours, { ...token, text: `${token.token} ` }));
    },
    end: (result, comparison) => {
      finished.push({ result, comparison, corrections });
      open = false;
      write(showcase ? '\n\n' : '\n');
    },
    broken: () => {
      if (open) write('\n'); // what came of it stays on a line of its own
      open = false;
    },
    close: (seconds) => {
      const wanted = terminal || showcase || finished.some(({ comparison }) => comparison !== null);
      if (!wanted || finished.length === 0) return;
      if (!showcase) aside('\n');
      if (tandem.drafter && colours.isColorSupported) aside(`${legend(colours)}\n`);
      aside(`${reportLines(finished, setting, seconds).join('\n')}\n`);
    },
  };
}

function pairLine({ tandem }: Setting): string {
  const millions = (parameters: number) => `${(parameters / 1e6).toPrecision(3)} M`;
  const draft = tandem.draft ? `a draft of ${millions(tandem.draft.parameters)} parameters proposes, ` : '';
  return `${draft}a target of ${millions(tandem.target.parameters)} decides`;
}
