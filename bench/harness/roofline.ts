import type { Figure } from './figures';
import type { Limits } from './scalarProbe';

/** A technology's roof and the points under it. */
export interface RooflineSeries {
  readonly label: string;
  readonly limits: Limits;
  readonly figures: readonly Figure[];
}

const WIDTH = 860;
const HEIGHT = 540;
const PLOT = { left: 70, right: 640, top: 50, bottom: 480 };
const COLOURS = ['#0b6fa4', '#c2410c', '#15803d', '#7e22ce'];
const RADIUS: Readonly<Record<string, number>> = { f32: 6, bf16: 4.5, q8: 3, q4: 2.5 };

interface Axis {
  readonly low: number;
  readonly high: number;
  place(value: number): number;
}

/** A logarithmic axis over whole powers of ten. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return { low, high, place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) };
}

/**
 * Williams, Waterman and Patterson's roofline (CACM 52(4), 2009): operations a second over operations a byte, both
 * logarithmic; the slanted roof is the stream probe, the flat one the arithmetic probe. Points above a roof were served
 * by a cache that the stream probe runs past.
 */
export function roofline(title: string, series: readonly RooflineSeries[]): string {
  const figures = series.flatMap((one) => one.figures);
  const intensity = (figure: Figure): number => figure.operations / figure.bytes;
  const ridges = series.map(({ limits }) => limits.peakGFlops / limits.streamGBs);
  const x = axis([...figures.map(intensity), ...ridges], PLOT.left, PLOT.right);
  const peaks = series.flatMap(({ limits }) => [limits.peakGFlops, limits.peakInt8GOps ?? limits.peakGFlops]);
  const y = axis([...figures.map(({ gigaflops }) => gigaflops), ...peaks], PLOT.bottom, PLOT.top);
  const parts = [grid(x, y), ...series.map((one, i) => drawSeries(one, COLOURS[i % COLOURS.length], x, y))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<clipPath id="plot"><rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.right - PLOT.left}" height="${PLOT.bottom - PLOT.top}"/></clipPath>`,
    `<text x="${PLOT.left}" y="28" font-size="17">${escaped(title)}</text>`,
    ...parts,
    legend(series),
    '</svg>',
    '',
  ].join('\n');
}

function grid(x: Axis, y: Axis): string {
  const lines: string[] = [];
  for (let power = x.low; power <= x.high; power++) {
    const at = x.place(10 ** power);
    lines.push(`<line x1="${at}" x2="${at}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="#ddd"/>`);
    lines.push(`<text x="${at}" y="${PLOT.bottom + 18}" text-anchor="middle">${10 ** power}</text>`);
  }
  for (let power = y.low; power <= y.high; power++) {
    const at = y.place(10 ** power);
    lines.push(`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="#ddd"/>`);
    lines.push(`<text x="${PLOT.left - 8}" y="${at + 4}" text-anchor="end">${10 ** power}</text>`);
  }
  const middle = (PLOT.top + PLOT.bottom) / 2;
  lines.push(
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 42}" text-anchor="middle">operations a byte</text>`,
  );
  lines.push(`<text transform="translate(22 ${middle}) rotate(-90)" text-anchor="middle">GFLOP/s</text>`);
  return lines.join('\n');
}

function drawSeries({ limits, figures }: RooflineSeries, colour: string, x: Axis, y: Axis): string {
  const roof = (peak: number, dash: string): string => {
    const low = 10 ** x.low;
    const corner = Math.min(Math.max(peak / limits.streamGBs, low), 10 ** x.high);
    const points = [
      [low, Math.min(peak, limits.streamGBs * low)],
      [corner, Math.min(peak, limits.streamGBs * corner)],
      [10 ** x.high, Math.min(peak, limits.streamGBs * 10 ** x.high)],
    ];
    const path = points.map(([a, b]) => `${x.place(a).toFixed(1)},${y.place(b).toFixed(1)}`).join(' ');
    return `<polyline clip-path="url(#plot)" points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`;
  };
  const dots = figures.map((figure) => {
    const [cx, cy] = [x.place(figure.operations / figure.bytes), y.place(figure.gigaflops)];
    const label = `${figure.backend}, ${figure.shape}, ${figure.type}, ${figure.rows} rows: ${figure.gigaflops.toFixed(2)} GFLOP/s`;
    const place = `cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="${RADIUS[figure.type] ?? 4}"`;
    return `<circle ${place} fill="${colour}" fill-opacity="0.55"><title>${escaped(label)}</title></circle>`;
  });
  const int8 = limits.peakInt8GOps === undefined ? [] : [roof(limits.peakInt8GOps, ' stroke-dasharray="6 4"')];
  return [roof(limits.peakGFlops, ''), ...int8, ...dots].join('\n');
}

function legend(series: readonly RooflineSeries[]): string {
  const lines = series.flatMap(({ label, limits }, i) => {
    const top = PLOT.top + 14 + i * 78;
    const int8 = limits.peakInt8GOps === undefined ? '' : `, int8 ${limits.peakInt8GOps.toFixed(0)} (dashed)`;
    return [
      `<circle cx="${PLOT.right + 18}" cy="${top - 4}" r="5" fill="${COLOURS[i % COLOURS.length]}"/>`,
      `<text x="${PLOT.right + 30}" y="${top}">${escaped(label)}</text>`,
      `<text x="${PLOT.right + 30}" y="${top + 17}" fill="#555">stream ${limits.streamGBs.toFixed(1)} GB/s</text>`,
      `<text x="${PLOT.right + 30}" y="${top + 34}" fill="#555">peak ${limits.peakGFlops.toFixed(1)}${int8}</text>`,
    ];
  });
  lines.push(`<text x="${PLOT.right + 12}" y="${PLOT.bottom}" fill="#555">dot size: f32, bf16, q8</text>`);
  return lines.join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
