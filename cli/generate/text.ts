import { printable } from '../../common';
import { oneLine } from '../failure';
import { shown } from '../terminal';
import type { Input } from './inputs';
import { legend, paint } from './paint';
import type { Printer, Setting } from './printer';
import { type Finished, reportOf } from './report';

/**
 * Prints text as it comes, one line an input. On a terminal the text is coloured, and a report follows. In a pipe it is bare,
 * and the report of a comparison goes to standard error. The showcase prints everything to standard output.
 *
 * Lines keep their place: a blank line and a line that failed are printed as blank lines.
 */
export function textPrinter(setting: Setting): Printer {
  const { colours, showcase, tandem, terminal, several } = setting;
  const safe = terminal || colours.isColorSupported;
  const write = (text: string) => process.stdout.write(text);
  const aside = (text: string) => (terminal || showcase ? process.stdout : process.stderr).write(text);
  const finished: Finished[] = [];
  let corrections = 0;
  let open = false;
  const endLine = () => {
    open = false;
    write('\n');
  };
  if (showcase) aside(`${colours.bold('tandem')}: ${colours.dim(pairLine(setting))}\n\n`);
  return {
    begin: (input) => {
      corrections = 0;
      if (showcase) write(`${colours.dim(printable(sourceText(input)))}\n`);
    },
    token: (token) => {
      const text = tandem.hasTokenizer ? shown(token.text, safe) : `${token.token} `;
      if (token.origin === 'corrected') corrections++;
      open ||= text !== '';
      write(paint(colours, token.origin, text));
    },
    done: (_input, outcome) => {
      finished.push({ ...outcome, corrections });
      endLine();
      if (showcase) write('\n');
    },
    failed: (item, error) => {
      if (several || open) endLine();
      process.stderr.write(`tandem: ${several ? `line ${item.line}: ` : ''}${oneLine(error)}\n`);
    },
    blank: endLine,
    interrupted: () => {
      if (open) endLine();
    },
    close: (seconds) => {
      const wanted = terminal || showcase || finished.some(({ comparison }) => comparison !== null);
      if (!wanted || finished.length === 0) return;
      if (!showcase) aside('\n');
      if (tandem.drafter && colours.isColorSupported) aside(`${legend(colours)}\n`);
      aside(reportOf(finished, setting, seconds));
    },
  };
}

function sourceText({ source }: Input): string {
  return typeof source === 'string' ? source : source.join(',');
}

function pairLine({ tandem }: Setting): string {
  const millions = (parameters: number) => `${(parameters / 1e6).toPrecision(3)} M`;
  const draft = tandem.draft ? `a draft of ${millions(tandem.draft.parameters)} parameters proposes, ` : '';
  return `${draft}a target of ${millions(tandem.target.parameters)} decides`;
}
