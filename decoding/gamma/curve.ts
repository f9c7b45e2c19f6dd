/** Times that one point of a curve keeps; the newest take the place of the oldest, so that it follows what the machine does. */
const WINDOW = 7;
/** From so many times on, their lower quartile is trusted. Below it, a point is taken to be as cheap as it may be. */
const TRUSTED = 3;
/** A quartile that moves by no more than this share changes nothing: to fit a curve again takes longer than it can gain. */
const MATTERS = 0.02;
/** What is assumed of points that are not known: each row more costs this share of a call of one row. */
const PRIOR_STEP = 0.1;

/** The newest times of one number of rows, and what they are worth together, which is at most `MATTERS` old. */
interface Times {
  readonly newest: number[];
  typical: number;
}

/** A point as it is kept between runs of a program: [rows, cost]. */
export type KeptPoint = readonly [rows: number, cost: number];

/**
 * The time of a call as a function of its rows, from times that come in one by one. Of the newest times of a number of rows the lower
 * quartile counts: a call can be slow because code is not compiled yet, because caches hold something else or because the machine
 * does other work, and it cannot be fast by accident. The curve never falls as rows grow: measured times
 * that do are averaged (monotone regression by pooling adjacent violators). Between points it is linear.
 */
export class Curve {
  private readonly times = new Map<number, Times>();
  private fitted: KeptPoint[] | null = null;
  private known: KeptPoint[] | null = null;
  private readonly kept: readonly KeptPoint[];
  private foundScale: number | null = null;
  /** The scale of the fitted points. */
  private fittedScale = 1;

  /**
   * @param kept points of an earlier run of the program, in units of its own
   * @param unit milliseconds of such a unit; without it, found by comparing the kept points with times of this run
   */
  constructor(
    kept: readonly KeptPoint[] = [],
    private readonly unit?: () => number,
  ) {
    this.kept = monotone(kept);
  }

  add(rows: number, milliseconds: number): void {
    const times = this.times.get(rows) ?? { newest: [], typical: milliseconds };
    const { newest, typical } = times;
    if (newest.push(milliseconds) === 1) this.times.set(rows, times);
    if (newest.length > WINDOW) newest.shift();
    const found = lowerQuartile(newest);
    if (newest.length > TRUSTED && Math.abs(found - typical) <= MATTERS * typical) return;
    times.typical = found;
    this.foundScale = null;
    this.forget();
  }

  private forget(): void {
    this.fitted = null;
    this.known = null;
  }

  /** Forgets what was fitted in another unit. */
  private checkScale(): void {
    if (this.kept.length === 0) return;
    const { scale } = this;
    if (scale !== this.fittedScale) this.forget();
    this.fittedScale = scale;
  }

  /** Whether the time at these rows is known: measured here or before, or between two points that are. */
  knows(rows: number): boolean {
    this.checkScale();
    this.known ??= this.points(true);
    const { known } = this;
    return known.length > 0 && rows >= known[0][0] && rows <= known[known.length - 1][0];
  }

  /** Whether the time at some number of rows was measured often enough, here or before. */
  get isTrusted(): boolean {
    return this.kept.length > 0 || [...this.times.values()].some(({ newest }) => newest.length >= TRUSTED);
  }

  /** The time at these rows; null where nothing is known. */
  at(rows: number): number | null {
    this.checkScale();
    this.fitted ??= monotone(this.points(false));
    return this.fitted.length === 0 ? null : interpolated(this.fitted, rows);
  }

  /** Points that are worth keeping. */
  trusted(): KeptPoint[] {
    return monotone(this.points(true));
  }

  /** Milliseconds here for one unit of the kept points. */
  get scale(): number {
    if (this.unit) return this.unit();
    this.foundScale ??= this.findScale();
    return this.foundScale;
  }

  private findScale(): number {
    const ratios: number[] = [];
    for (const [rows, { typical }] of this.times) {
      const before = this.kept.length > 0 ? interpolated(this.kept, rows) : 0;
      if (before > 0) ratios.push(typical / before);
    }
    return ratios.length > 0 ? medianOf(ratios) : 1;
  }

  private points(onlyTrusted: boolean): KeptPoint[] {
    const scale = this.kept.length > 0 ? this.scale : 1;
    const known = new Map<number, number>(this.kept.map(([rows, cost]) => [rows, cost * scale]));
    for (const [rows, { newest, typical }] of this.times) if (newest.length >= TRUSTED) known.set(rows, typical);
    const trusted = [...known].sort(byRows);
    if (onlyTrusted) return trusted;
    const [first] = trusted;
    for (const [rows, { newest }] of this.times) {
      if (known.has(rows)) continue;
      const least = Math.min(...newest);
      // It may have been slow because its code was not compiled yet: it is tried again, as if it cost what the trusted points say.
      known.set(rows, first && rows > first[0] ? Math.min(least, interpolated(trusted, rows)) : least);
    }
    return [...known].sort(byRows);
  }
}

const byRows = (a: KeptPoint, b: KeptPoint) => a[0] - b[0];

/** Least squares among curves that do not fall: neighbours that fall get their mean. */
export function monotone(points: readonly KeptPoint[]): KeptPoint[] {
  const pools: { rows: number[]; mean: number }[] = [];
  for (const [rows, cost] of points) {
    let pool = { rows: [rows], mean: cost };
    for (let last = pools[pools.length - 1]; last && last.mean > pool.mean; last = pools[pools.length - 1]) {
      const [a, b] = [last.rows.length, pool.rows.length];
      pool = { rows: [...last.rows, ...pool.rows], mean: (last.mean * a + pool.mean * b) / (a + b) };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ rows, mean }) => rows.map((at): KeptPoint => [at, mean]));
}

/** Linear between points, flat before the first, and beyond the last by the mean slope of all. */
function interpolated(points: readonly KeptPoint[], rows: number): number {
  let after = 0;
  while (after < points.length && points[after][0] < rows) after++;
  if (after === 0) return points[0][1];
  if (after === points.length) return hoped(points, rows);
  const [[x0, y0], [x1, y1]] = [points[after - 1], points[after]];
  return y0 + ((y1 - y0) * (rows - x0)) / (x1 - x0);
}

/** Beyond the last of the points: by their mean slope, or by the prior where there is only one. */
function hoped(points: readonly KeptPoint[], rows: number): number {
  const [x0, y0] = points[0];
  const [x1, y1] = points[points.length - 1];
  const slope = x1 > x0 ? Math.max(0, y1 - y0) / (x1 - x0) : (PRIOR_STEP * y0) / Math.max(1, x0);
  return y1 + slope * (rows - x1);
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function lowerQuartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 2];
}
