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

  it('that were kept are scaled to the machine as it is now', () => {
    const curve = new Curve([
      [1, 1],
      [5, 2],
    ]);
    for (let i = 0; i < 3; i++) curve.add(1, 8);
    expect(curve.at(5)).toBeCloseTo(16, 12);
  });
});
