import type { Point } from './measure';

/** One draft's line, and what was timed of it. */
export interface Series {
  readonly label: string;
  /** Predicted speed-ups by γ, from 0 up. */
  readonly curve: readonly number[];
  readonly points: readonly Pick<Point, 'gamma' | 'measured'>[];
}

const [WIDTH, HEIGHT] = [860, 500];
const PLOT = { left: 60, right: 600, top: 50, bottom: 440 };
const COLOURS = ['#0b6fa4', '#c2410c', '#15803d', '#7e22ce', '#a16207', '#be185d', '#475569', '#0f766e'];

/** Speed-up over γ, as SVG: a line for what is predicted of each draft, and dots for what was measured. */
export function picture(title: string, series: readonly Series[]): string {
  const points = series.flatMap((one) => one.points);
  const widest = Math.max(1, ...series.map(({ curve }) => curve.length - 1), ...points.map(({ gamma }) => gamma));
  const highest = Math.max(1.5, ...series.flatMap(({ curve }) => curve), ...points.map(({ measured }) => measured));
  const step = highest > 8 ? 2 : highest > 3 ? 1 : 0.5;
  const most = Math.ceil(highest / step) * step;
  const x = (gamma: number) => PLOT.left + (gamma / widest) * (PLOT.right - PLOT.left);
  const y = (speedup: number) => PLOT.bottom - (speedup / most) * (PLOT.bottom - PLOT.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${PLOT.left}" y="28" font-size="16">${escaped(title)}</text>`,
    ...grid({ widest, most, step, x, y }),
    ...series.map((one, i) => draw(one, i, x, y)),
    '</svg>',
    '',
  ].join('\n');
}

type Place = (value: number) => number;

interface Axes {
  readonly widest: number;
  readonly most: number;
  readonly step: number;
  readonly x: Place;
  readonly y: Place;
}

function grid({ widest, most, step, x, y }: Axes): string[] {
  const lines: string[] = [];
  const every = Math.ceil(widest / 16);
  for (let gamma = 0; gamma <= widest; gamma += every) {
    lines.push(`<text x="${at(x(gamma))}" y="${PLOT.bottom + 18}" text-anchor="middle">${gamma}</text>`);
  }
  for (let value = 0; value <= most; value += step) {
    const colour = value === 1 ? '#555' : '#ddd'; // no faster than without a draft
    const place = at(y(value));
    lines.push(`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${place}" y2="${place}" stroke="${colour}"/>`);
    lines.push(`<text x="${PLOT.left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${value}×</text>`);
  }
  const middle = (PLOT.left + PLOT.right) / 2;
  lines.push(`<text x="${middle}" y="${PLOT.bottom + 42}" text-anchor="middle">γ, draft tokens a round</text>`);
  lines.push(`<text x="${PLOT.right + 16}" y="${PLOT.bottom}" fill="#555">line: predicted; dot: measured</text>`);
  return lines;
}

function draw({ label, curve, points }: Series, i: number, x: Place, y: Place): string {
  const colour = COLOURS[i % COLOURS.length];
  const dash = i >= COLOURS.length ? ' stroke-dasharray="6 4"' : '';
  const path = curve.map((speedup, gamma) => `${at(x(gamma))},${at(y(speedup))}`).join(' ');
  const dots = points.map(({ gamma, measured }) => {
    const title = `<title>${escaped(label)}, γ = ${gamma}: ${measured.toFixed(2)}× measured</title>`;
    return `<circle cx="${at(x(gamma))}" cy="${at(y(measured))}" r="5" fill="${colour}">${title}</circle>`;
  });
  const top = PLOT.top + 14 + i * 20;
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
    ...dots,
    `<circle cx="${PLOT.right + 18}" cy="${top - 4}" r="5" fill="${colour}"/>`,
    `<text x="${PLOT.right + 30}" y="${top}">${escaped(label)}</text>`,
  ].join('\n');
}

const at = (place: number) => place.toFixed(1);

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
