import type { Sequence, TokenStreamEvent } from '../../api';
import { printable } from '../../common';
import { oneLine } from '../failure';
import { shown } from '../terminal';
import type { Input } from './inputs';
import { legend, paint } from './paint';
import type { Outcome, Printer, Setting } from './printer';
import { reportOf } from './report';

/**
 * Prints text as it comes, one line an input. On a terminal the text is coloured, and a report follows. In a pipe it is bare,
 * and the report of a comparison goes to standard error. The showcase prints everything to standard output.
 *
 * Lines keep their place: a blank line and a line that failed are printed as blank lines. Where several sequences are asked
 * for, each has a line, printed when the input is finished, and beams stand after their scores.
 */
export function textPrinter(setting: Setting): Printer {
  return new TextPrinter(setting);
}

class TextPrinter implements Printer {
  private readonly outcomes: Outcome[] = [];
  /** Whether something has been printed on the present line. */
  private open = false;

  constructor(private readonly setting: Setting) {
    const { colours, showcase } = setting;
    if (showcase) this.report(`${colours.bold('tandem')}: ${colours.dim(pairLine(setting))}\n\n`);
  }

  begin(input: Input): void {
    const { showcase, colours } = this.setting;
    if (showcase) write(`${colours.dim(printable(sourceText(input)))}\n`);
  }

  token({ token, origin, text }: TokenStreamEvent): void {
    if (this.several) return;
    const { tandem, colours } = this.setting;
    const piece = tandem.hasTokenizer ? this.shown(text) : `${this.open ? ' ' : ''}${token}`;
    this.open ||= piece !== '';
    write(paint(colours, origin, piece));
  }

  done(_input: Input, outcome: Outcome): void {
    this.outcomes.push(outcome);
    if (this.several) for (const sequence of outcome.result.sequences) write(`${this.line(sequence)}\n`);
    else this.endLine();
    if (this.setting.showcase) write('\n');
  }

  failed(item: Parameters<Printer['failed']>[0], error: unknown): void {
    const { several } = this.setting;
    if (several || this.open) this.endLine();
    process.stderr.write(`tandem: ${several ? `line ${item.line}: ` : ''}${oneLine(error)}\n`);
  }

  blank(): void {
    this.endLine();
  }

  interrupted(): void {
    if (this.open) this.endLine();
  }

  close(seconds: number): void {
    const { tandem, colours, terminal, showcase, quiet } = this.setting;
    const wanted = (terminal && !quiet) || showcase || this.outcomes.some(({ comparison }) => comparison !== null);
    if (!wanted || this.outcomes.length === 0) return;
    if (!showcase) this.report('\n');
    if (tandem.drafter !== null && colours.isColorSupported) this.report(`${legend(colours)}\n`);
    this.report(reportOf(this.outcomes, this.setting, seconds));
  }

  /** Whether each input gives several sequences. */
  private get several(): boolean {
    return (this.setting.options.numReturnSequences ?? 1) > 1;
  }

  private line({ text, ids, score }: Sequence): string {
    const shown = this.setting.tandem.hasTokenizer ? this.shown(text) : ids.join(' ');
    return score === undefined ? shown : `${score.toFixed(4)}\t${shown}`;
  }

  /** Colours are for a terminal, even where they go to a pipe. */
  private shown(text: string): string {
    return shown(text, this.setting.terminal || this.setting.colours.isColorSupported);
  }

  private endLine(): void {
    this.open = false;
    write('\n');
  }

  /** Prints what is not the text itself. */
  private report(text: string): void {
    const { terminal, showcase } = this.setting;
    (terminal || showcase ? process.stdout : process.stderr).write(text);
  }
}

function write(text: string): void {
  process.stdout.write(text);
}

function sourceText({ source }: Input): string {
  return typeof source === 'string' ? source : source.join(',');
}

function pairLine({ tandem }: Setting): string {
  const millions = (parameters: number) => `${(parameters / 1e6).toPrecision(3)} M`;
  const draft = tandem.draft ? `a draft of ${millions(tandem.draft.parameters)} parameters proposes, ` : '';
  return `${draft}a target of ${millions(tandem.target.parameters)} decides`;
}
