import picocolors from 'picocolors';
import type { TokenStreamEvent } from '../../api';

export type Colours = ReturnType<typeof picocolors.createColors>;

/** Colours for a stream: as `asked`; else as NO_COLOR and FORCE_COLOR say (no-color.org); else on a terminal that has them. */
export function coloursFor(stream: { readonly isTTY?: boolean }, asked?: boolean): Colours {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
  const usual = forced || (stream.isTTY === true && !NO_COLOR && TERM !== 'dumb');
  return picocolors.createColors(asked ?? usual);
}

/** Text in the colour of where its token came from. */
export function paint(colours: Colours, origin: TokenStreamEvent['origin'], text: string): string {
  if (text === '') return '';
  switch (origin) {
    case 'accepted':
      return colours.green(text);
    case 'corrected':
      return colours.yellow(text);
    case 'bonus':
      return colours.cyan(text);
    case 'target':
      return text;
  }
}

/** One line that says what the colours mean. */
export function legend(colours: Colours): string {
  const { green, yellow, cyan } = colours;
  return `${green('drafted and kept')} · ${yellow('corrected by the target')} · ${cyan('free extra token')}`;
}
