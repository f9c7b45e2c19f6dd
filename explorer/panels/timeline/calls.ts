import type { Trace, TracedRound } from '../../../decoding';

/** A stretch of time in which one model worked. */
export interface Call {
  readonly side: 'draft' | 'target';
  readonly round: number;
  /** Milliseconds since the first round began. */
  readonly from: number;
  readonly to: number;
}

/** The calls of a trace, one after the other, as they were made. Between rounds hardly any time passes; none is shown. */
export function callsOf({ rounds }: Trace): Call[] {
  const calls: Call[] = [];
  let now = 0;
  for (const [round, { milliseconds }] of rounds.entries()) {
    for (const side of ['draft', 'target'] as const) {
      const to = now + Math.max(0, milliseconds[side]);
      if (to > now) calls.push({ side, round, from: now, to });
      now = to;
    }
  }
  return calls;
}

/** What a round did, in words. */
export function summaryOfRound({ proposal, accepted, tokens, milliseconds }: TracedRound): string {
  const times = `${milliseconds.draft.toFixed(1)} ms drafting, ${milliseconds.target.toFixed(1)} ms in the target`;
  return `${proposal.length} proposed, ${accepted} kept, ${tokens.length} out; ${times}`;
}

/** The strip as an SVG file of its own, with its colours. */
export function svgOf(calls: readonly Call[]): string {
  const length = calls.at(-1)?.to ?? 1;
  const scale = 1200 / length;
  const colours = { draft: '#e58a3c', target: '#5b86e8' };
  const boxes = calls.map(({ side, round, from, to }) => {
    const y = side === 'draft' ? 10 : 46;
    const width = Math.max(0.5, (to - from) * scale - 0.5).toFixed(2);
    const title = `<title>round ${round + 1}, ${side}: ${(to - from).toFixed(2)} ms</title>`;
    return `<rect x="${(from * scale).toFixed(2)}" y="${y}" width="${width}" height="30" fill="${colours[side]}">${title}</rect>`;
  });
  const end = `<text x="1200" y="98" text-anchor="end" font-family="sans-serif" font-size="13">${length.toFixed(1)} ms</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 104" width="1200" height="104">${boxes.join('')}${end}</svg>\n`;
}
