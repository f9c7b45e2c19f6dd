/**
 * What decoding/gamma/curve.ts says of times by rows, in the plainest way: all times are kept, and everything is computed from all of
 * them. Laws run the code beside it.
 */

export type Point = readonly [rows: number, cost: number];

const ascending = (a: number, b: number) => a - b;
const byRows = (a: Point, b: Point) => a[0] - b[0];

/** From so many times on, a number of rows is known. */
const KNOWN = 3;

/** The lower quartile of the newest seven times, which follows a time where there are at most three, or where it moves by more than 2 %. */
export function typicalOf(times: readonly number[]): number {
  let typical = times[0];
  for (let count = 1; count <= times.length; count++) {
    const newest = times.slice(Math.max(0, count - 7), count).sort(ascending);
    const quartile = newest[Math.floor((newest.length - 1) / 4)];
    if (count <= 3 || Math.abs(quartile - typical) > 0.02 * typical) typical = quartile;
  }
  return typical;
}

/** The curve that does not fall and is nearest by least squares: of each point the largest of the least means of points around it. */
export function risingOf(points: readonly Point[]): Point[] {
  const sums = [0];
  for (const [, cost] of points) sums.push(sums[sums.length - 1] + cost);
  return points.map(([rows], at): Point => {
    let most = Number.NEGATIVE_INFINITY;
    for (let from = 0; from <= at; from++) {
      let least = Number.POSITIVE_INFINITY;
      for (let to = at + 1; to <= points.length; to++) least = Math.min(least, (sums[to] - sums[from]) / (to - from));
      most = Math.max(most, least);
    }
    return [rows, most];
  });
}

/** Beyond the last of some points: by the slope from the first to the last, if it rises, or by a tenth of a row's cost for each row. */
function beyond(points: readonly Point[], rows: number): number {
  const [[x0, y0], [x1, y1]] = [points[0], points[points.length - 1]];
  const slope = points.length > 1 ? Math.max(0, y1 - y0) / (x1 - x0) : 0.1 * (y0 / x0);
  return y1 + slope * (rows - x1);
}

/** The cost of a number of rows on points by rising rows that do not fall. */
export function costOf(points: readonly Point[], rows: number): number {
  const before = points.filter(([at]) => at <= rows);
  const after = points.filter(([at]) => at >= rows);
  if (before.length === 0) return points[0][1];
  if (after.length === 0) return beyond(points, rows);
  const [[x0, y0], [x1, y1]] = [before[before.length - 1], after[0]];
  return x0 === x1 ? y0 : y0 + ((y1 - y0) * (rows - x0)) / (x1 - x0);
}

/** The one in the middle, or the mean of two. */
function middleOf(values: readonly number[]): number {
  const sorted = [...values].sort(ascending);
  const middle = sorted.filter((_, i) => Math.abs(i - (sorted.length - 1) / 2) < 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

interface Times {
  readonly all: readonly number[];
  readonly typical: number;
}

export class PlainCurve {
  private readonly times = new Map<number, Times>();
  private readonly kept: readonly Point[];

  constructor(
    kept: readonly Point[] = [],
    private readonly unit?: () => number,
  ) {
    this.kept = risingOf(kept);
  }

  add(rows: number, milliseconds: number): void {
    const all = [...(this.times.get(rows)?.all ?? []), milliseconds];
    this.times.set(rows, { all, typical: typicalOf(all) });
  }

  /** Milliseconds of a unit of the kept points: as stated, or the median of what each measured number of rows says. */
  get scale(): number {
    if (this.unit) return this.unit();
    if (this.kept.length === 0) return 1;
    const pairs = [...this.times].map(([rows, { typical }]) => [typical, costOf(this.kept, rows)]);
    const ratios = pairs.filter(([, before]) => before > 0).map(([now, before]) => now / before);
    return ratios.length === 0 ? 1 : middleOf(ratios);
  }

  /** Points that are known: measured three times, or else kept. */
  private get known(): Point[] {
    const measured = [...this.times].filter(([, { all }]) => all.length >= KNOWN);
    const kept = this.kept.filter(([rows]) => !measured.some(([at]) => at === rows));
    return [
      ...kept.map(([rows, cost]): Point => [rows, cost * this.scale]),
      ...measured.map(([rows, { typical }]): Point => [rows, typical]),
    ].sort(byRows);
  }

  /** The others: the least time, but beyond the first known point no more than what the known ones let hope. */
  private get guessed(): Point[] {
    const { known } = this;
    const others = [...this.times].filter(([rows]) => !known.some(([at]) => at === rows));
    return others.map(([rows, { all }]): Point => {
      const hoped = known.some(([at]) => at < rows) ? costOf(known, rows) : Number.POSITIVE_INFINITY;
      return [rows, Math.min(...all, hoped)];
    });
  }

  knows(rows: number): boolean {
    const { known } = this;
    return known.some(([at]) => at <= rows) && known.some(([at]) => at >= rows);
  }

  get isTrusted(): boolean {
    return this.known.length > 0;
  }

  at(rows: number): number | null {
    const points = risingOf([...this.known, ...this.guessed].sort(byRows));
    return points.length === 0 ? null : costOf(points, rows);
  }

  trusted(): Point[] {
    return risingOf(this.known);
  }
}
