import fc from 'fast-check';
import { Curve, monotone } from '../../../decoding/gamma/curve';

const point = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0.01, max: 100, noNaN: true }));

describe('times by rows', () => {
  it('never fall as rows grow, whatever was measured, kept, or is not known', () => {
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 80 }),
        fc.array(point, { maxLength: 6 }),
        (times, kept) => {
          const rising = [...new Map(kept)].sort((a, b) => a[0] - b[0]);
          const curve = new Curve(rising);
          for (const [rows, time] of times) curve.add(rows, time);
          const all = Array.from({ length: 60 }, (_, i) => curve.at(i + 1) as number);
          for (const [i, time] of all.entries()) {
            expect(time).toBeGreaterThan(0);
            if (i > 0) expect(time).toBeGreaterThanOrEqual(all[i - 1] * (1 - 1e-12));
          }
        },
      ),
    );
  });

  it('that do not fall are kept as they are, and neighbours that fall get their mean', () => {
    const points = [
      [1, 1],
      [2, 3],
      [3, 2],
      [4, 7],
    ] as const;
    expect(monotone(points)).toEqual([
      [1, 1],
      [2, 2.5],
      [3, 2.5],
      [4, 7],
    ]);
    expect(monotone(points.slice(0, 2))).toEqual(points.slice(0, 2));
    expect(
      monotone([
        [1, 4],
        [2, 3],
        [3, 2],
      ]),
    ).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('follow the newest times, and one slow time in three changes nothing', () => {
    const curve = new Curve();
    for (const time of [2, 9, 2]) curve.add(1, time);
    expect(curve.at(1)).toBe(2);
    for (let i = 0; i < 7; i++) curve.add(1, 5);
    expect(curve.at(1)).toBe(5);
  });

  it('stay as they are while their lower quartile moves by less than 2 %, and are never further from it', () => {
    const factor = fc.double({ min: 0.98, max: 1.04, noNaN: true });
    let same = 0;
    fc.assert(
      fc.property(fc.array(factor, { minLength: 20, maxLength: 120 }), (factors) => {
        const curve = new Curve();
        const all: number[] = [];
        let now = 8;
        for (const one of factors) {
          now *= one > 1.02 ? one : 1; // most times are near the ones before, and some are the first of slower ones
          all.push(now * one);
          const before = curve.at(1) ?? 0;
          curve.add(1, now * one);
          const quartile = [...all.slice(-7)].sort((a, b) => a - b)[1]; // of seven
          if (all.length < 7) continue;
          const found = curve.at(1) as number;
          expect(Math.abs(found - quartile) / found).toBeLessThanOrEqual(0.02 + 1e-12);
          if (Math.abs(before - quartile) / before >= 0.02 - 1e-12) continue;
          same++;
          expect(found).toBe(before);
        }
      }),
    );
    expect(same).toBeGreaterThan(100);
  });

  it('that were kept are scaled to the machine as it is now', () => {
    const curve = new Curve([
      [1, 1],
      [5, 2],
    ]);
    for (let i = 0; i < 3; i++) curve.add(1, 8);
    expect(curve.at(5)).toBeCloseTo(16, 12);
    for (let i = 0; i < 7; i++) curve.add(1, 24);
    expect(curve.at(5)).toBeCloseTo(48, 12);
  });

  /** Points that rise, by rising rows. */
  const rising = fc
    .uniqueArray(point, { minLength: 1, maxLength: 5, selector: ([rows]) => rows })
    .map((points): [number, number][] => {
      const costs = points.map(([, cost]) => cost).sort((a, b) => a - b);
      return points
        .map(([rows]) => rows)
        .sort((a, b) => a - b)
        .map((rows, i) => [rows, costs[i]]);
    });

  /** What the documentation of a curve says, on points that rise. */
  function plain(points: readonly (readonly [number, number])[], rows: number): number {
    const [[x0, y0], [x1, y1]] = [points[0], points[points.length - 1]];
    if (rows <= x0) return y0;
    const [before] = points.filter(([at]) => at <= rows).slice(-1);
    const after = points.find(([at]) => at >= rows);
    if (after === before) return before[1];
    if (after !== undefined) return before[1] + ((after[1] - before[1]) * (rows - before[0])) / (after[0] - before[0]);
    const slope = points.length > 1 ? (y1 - y0) / (x1 - x0) : 0.1 * (y0 / x0); // a tenth of a call of one row
    return y1 + slope * (rows - x1);
  }

  it('are flat before the first point, linear between two, and go on by the mean slope, or a tenth a row of a single one', () => {
    fc.assert(
      fc.property(rising, fc.double({ min: 0.1, max: 10, noNaN: true }), (points, unit) => {
        const measured = new Curve();
        for (const [rows, cost] of points) for (let i = 0; i < 3; i++) measured.add(rows, cost);
        const [kept, scaled] = [new Curve(points), new Curve(points, () => unit)];
        for (let rows = 1; rows <= 60; rows++) {
          const expected = plain(points, rows);
          const found = [measured.at(rows), kept.at(rows), (scaled.at(rows) ?? 0) / unit];
          for (const one of found) expect(((one ?? 0) - expected) / expected).toBeCloseTo(0, 9);
          const isKnown = rows >= points[0][0] && rows <= points[points.length - 1][0];
          expect([measured.knows(rows), kept.knows(rows), new Curve().knows(rows)]).toEqual([isKnown, isKnown, false]);
        }
        const all = measured.trusted();
        expect(all.map(([rows]) => rows)).toEqual(points.map(([rows]) => rows));
        expect([kept.scale, scaled.scale, new Curve().at(3)]).toEqual([1, unit, null]);
      }),
      { numRuns: 25 },
    );
  });

  it('of fewer than three runs are not known, and at most what is hoped of a point beyond the others', () => {
    fc.assert(
      fc.property(
        rising,
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (points, more, time) => {
          const rows = points[points.length - 1][0] + more;
          const curve = new Curve(points, () => 1);
          const hoped = plain(points, rows);
          for (let i = 0; i < 2; i++) {
            curve.add(rows, time * (1 + i));
            expect([curve.knows(rows), curve.trusted().length]).toEqual([false, points.length]);
            const least = Math.min(time, hoped);
            const last = points[points.length - 1][1];
            if (least >= last) expect(curve.at(rows)).toBeCloseTo(least, 9);
          }
          curve.add(rows, time * 3);
          expect([curve.knows(rows), curve.trusted().length]).toEqual([true, points.length + 1]);
          if (time >= points[points.length - 1][1]) expect(curve.at(rows)).toBeCloseTo(time, 9);
        },
      ),
    );
  });

  it('are of the newest unit', () => {
    let unit = 1;
    const curve = new Curve([[1, 2]], () => unit);
    expect([curve.at(1), curve.trusted()]).toEqual([2, [[1, 2]]]);
    unit = 3;
    expect([curve.at(1), curve.trusted()]).toEqual([6, [[1, 6]]]);
  });
});
