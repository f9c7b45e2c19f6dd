import { rowCost, theory } from '../../decoding';
import { allowed, rooflineOf } from '../../explorer/panels/machine/roof';
import { predicted } from '../../explorer/panels/play/predicted';
import { callsOf, svgOf } from '../../explorer/panels/timeline/calls';
import type { Trace } from '../../index';

const traceOf = (times: readonly { draft: number; target: number }[]) =>
  ({ rounds: times.map((milliseconds) => ({ milliseconds })) }) as unknown as Trace;

describe('figures of the panels', () => {
  test('Play predicts a speed-up by theorem 3.8, with a target call of γ + 1 rows', () => {
    const costs = { c: 0.1, v: [1, 1.5, 2.5] };
    expect(predicted(0.8, 0, costs)).toBe(1);
    expect(predicted(0.8, 2, costs)).toBe(theory.predictedSpeedup({ alpha: 0.8, gamma: 2, c: 0.1, v: 2.5 }));
    expect(predicted(0.8, 2, costs)).toBeCloseTo((1 + 0.8 + 0.64) / (2 * 0.1 + 2.5), 12);
    expect(predicted(0.8, 4, costs)).toBeCloseTo((1 + 0.8 + 0.64 + 0.512 + 0.4096) / (4 * 0.1 + rowCost(costs, 5)), 12);
  });

  test('Timeline lays calls end to end: the draft’s of a round, then the target’s', () => {
    expect(
      callsOf(
        traceOf([
          { draft: 2, target: 5 },
          { draft: 0, target: 4 },
          { draft: 3, target: 1 },
        ]),
      ),
    ).toEqual([
      { side: 'draft', round: 0, from: 0, to: 2 },
      { side: 'target', round: 0, from: 2, to: 7 },
      { side: 'target', round: 1, from: 7, to: 11 },
      { side: 'draft', round: 2, from: 11, to: 14 },
      { side: 'target', round: 2, from: 14, to: 15 },
    ]);
  });

  test('the exported strip has each call where it was, as wide as it was long', () => {
    const svg = svgOf(
      callsOf(
        traceOf([
          { draft: 2, target: 6 },
          { draft: 1, target: 3 },
        ]),
      ),
    );
    const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)"/g)].map(([, x, y, width]) =>
      [x, y, width].map(Number),
    );
    expect(boxes).toEqual([
      [0, 10, 199.5],
      [200, 46, 599.5],
      [800, 10, 99.5],
      [900, 46, 299.5],
    ]);
  });

  test('the roof is the most bytes and the most operations a second that any kernel reached', () => {
    const kernels = [
      { name: 'linear', rows: 1, operations: 8e6, bytes: 4e6, milliseconds: 2 },
      { name: 'linear', rows: 8, operations: 64e6, bytes: 5e6, milliseconds: 4 },
    ];
    const { points, roof } = rooflineOf(kernels);
    expect(points.map(({ intensity, speed }) => [intensity, speed])).toEqual([
      [2, 4],
      [12.8, 16],
    ]);
    expect(roof).toEqual({ bandwidth: 2, peak: 16 });
    expect([allowed(roof, 1), allowed(roof, 100)]).toEqual([2, 16]);
  });
});
