/** What the pages show of real runs and of the formulas. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Tandem } from '../../api';
import { type Settings, theory } from '../../decoding';
import { RoundRecorder } from '../../explorer/engine/rounds';
import type { ShownPosition, ShownRound } from '../../explorer/protocol';

/** The round that docs/algorithm.md works through: it keeps two tokens, rejects the third and corrects it. */
const WORKED = { text: 'And he said unto them, Whither goest thou?', seed: 7, gamma: 4, round: 1 };

/** Texts by the names that pages call them. */
export async function outputs(): Promise<Map<string, string>> {
  const t5 = await Tandem.load(undefined, { backend: 'cpu' });
  try {
    const tokenizer = t5.core?.tokenizer;
    if (!tokenizer) throw new Error('expected the bundled pair with its tokenizer, found none');
    const rounds: ShownRound[] = [];
    const { text, seed, gamma, round } = WORKED;
    const settings: Settings = { temperature: 1, seed, verification: 'token' };
    const trace = new RoundRecorder(
      { ...settings, gamma } as Settings,
      (id) => tokenizer.piece(id),
      (one) => rounds.push(one),
    );
    const result = await t5.generate(text, { ...settings, gamma, trace, maxNewTokens: 24 });
    const worked = rounds[round];
    const before = rounds
      .slice(0, round)
      .flatMap(({ tokens }) => tokens)
      .map(shown)
      .join(' ');
    return new Map([
      ['round-setting', settingOf(before, result.text)],
      ['round-proposals', proposalsOf(worked)],
      ['round-verdicts', verdictsOf(worked)],
      ['round-residual', residualOf(worked)],
      ['round-tokens', tokensOf(worked)],
    ]);
  } finally {
    await t5.dispose();
  }
}

/** A piece of the vocabulary as code; ▁ marks the start of a word. */
const shown = (piece: string) => `\`${piece}\``;
const figure = (value: number) => value.toFixed(4);

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function settingOf(before: string, text: string): string {
  const { text: source, seed, gamma } = WORKED;
  return table(
    ['', ''],
    [
      ['source', `“${source}”`],
      ['settings', `temperature 1, γ = ${gamma}, seed ${seed}, the bundled pair`],
      ['text so far', before],
      ['text in the end', `“${text}”`],
    ],
  );
}

function proposalsOf({ proposals }: ShownRound): string {
  return table(
    ['i', 'xᵢ', 'the number drawn', 'qᵢ(xᵢ), the draft’s probability'],
    proposals.map((one, i) => [String(i + 1), shown(one.label), figure(one.drawn.number ?? 0), figure(one.draft)]),
  );
}

function verdictsOf({ proposals }: ShownRound): string {
  return table(
    ['i', 'xᵢ', 'qᵢ(xᵢ)', 'pᵢ(xᵢ)', 'min(1, p / q)', 'rᵢ', 'verdict'],
    proposals.map(({ label, draft, target, chance, number, verdict }, i) => [
      String(i + 1),
      shown(label),
      figure(draft),
      figure(target),
      figure(chance),
      verdict === 'unread' ? '' : number === null ? 'not needed' : figure(number),
      verdict === 'unread' ? 'not looked at' : verdict,
    ]),
  );
}

function rejectedPosition({ positions, accepted }: ShownRound): ShownPosition {
  return positions[accepted];
}

function residualOf(round: ShownRound): string {
  const { entries, rest, overlap } = rejectedPosition(round);
  const mass = 1 - (overlap ?? 0);
  const row = (name: string, target: number, draft: number) => {
    const excess = Math.max(0, target - draft);
    return [
      name,
      figure(target),
      figure(draft),
      figure(Math.min(target, draft)),
      figure(excess),
      figure(excess / mass),
    ];
  };
  const drawn = round.next.drawn;
  const known = entries.some(({ id }) => id === drawn.id);
  const all = known
    ? entries
    : [...entries.slice(0, -1), ...round.next.from.entries.filter(({ id }) => id === drawn.id)];
  const lines = [
    table(
      ['x', 'p(x)', 'q(x)', 'min(p, q)', 'max(0, p − q)', 'residual'],
      all.map(({ label, target, draft }) => row(shown(label), target, draft)),
    ),
    '',
    `The other tokens have ${figure(rest.target)} of the target’s mass and ${figure(rest.draft)} of the draft’s. Over all tokens, min(p, q) adds up to ${figure(overlap ?? 0)}: that was the chance to`,
    `keep a token here. What is missing from 1, ${figure(mass)}, is the sum of max(0, p − q), by which the residual is normalised. The number ${figure(drawn.number ?? 0)} draws ${shown(drawn.label)} from it.`,
  ];
  return lines.join('\n');
}

function tokensOf({ tokens, accepted }: ShownRound): string {
  return `This call of the target gave ${tokens.length} tokens: ${tokens.map(shown).join(' ')}. ${accepted} were kept from the draft, and one corrected it.`;
}

const ALPHAS = [0.5, 0.6, 0.7, 0.8, 0.9];
const LARGEST = 12;

/** Plots of the paper's formulas, by name. */
export function pictures(): Map<string, string> {
  const points = ALPHAS.flatMap((alpha) =>
    Array.from({ length: LARGEST + 1 }, (_, gamma) => ({ alpha: `α = ${alpha}`, gamma, value: alpha })),
  );
  const of = (value: (alpha: number, gamma: number) => number) =>
    points.map((point) => ({ ...point, value: value(point.value, point.gamma) }));
  return new Map([
    [
      'expected-tokens',
      curves(
        'tokens per target call',
        of((alpha, gamma) => theory.expectedTokens(alpha, gamma)),
      ),
    ],
    [
      'speedup-cheap',
      curves(
        'speed-up, c = 0.05',
        of((alpha, gamma) => theory.predictedSpeedup({ alpha, gamma, c: 0.05 })),
      ),
    ],
    [
      'speedup-dear',
      curves(
        'speed-up, c = 0.3',
        of((alpha, gamma) => theory.predictedSpeedup({ alpha, gamma, c: 0.3 })),
      ),
    ],
  ]);
}

interface Point {
  readonly alpha: string;
  readonly gamma: number;
  readonly value: number;
}

function curves(label: string, points: readonly Point[]): string {
  const { document } = parseHTML('<html><body></body></html>');
  const last = points.filter(({ gamma }) => gamma === LARGEST);
  const plot = Plot.plot({
    document,
    width: 560,
    height: 320,
    marginRight: 64,
    style: { background: 'white', color: 'black', fontFamily: 'sans-serif' },
    x: { label: 'γ', ticks: LARGEST },
    y: { label, grid: true, zero: true },
    color: { scheme: 'viridis', reverse: true },
    marks: [
      Plot.lineY(points, { x: 'gamma', y: 'value', stroke: 'alpha', marker: 'dot' }),
      Plot.text(last, { x: 'gamma', y: 'value', text: 'alpha', textAnchor: 'start', dx: 8 }),
    ],
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${plot.outerHTML}\n`;
}
