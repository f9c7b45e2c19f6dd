import fc from 'fast-check';
import type { EngineFacts } from '../../../api';
import { candidatesOf, fits } from '../../../cli/tune/candidates';
import { choose, type TriedType } from '../../../cli/tune/choose';
import { atEqualDistances } from '../../../cli/tune/command';
import { page } from '../../../cli/tune/page';
import { picture } from '../../../cli/tune/picture';
import { bestOf, predictedCurve } from '../../../cli/tune/predict';
import { rowCost, theory } from '../../../decoding';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const costs = fc.record({
  c: fc.double({ min: 0, max: 2, noNaN: true }),
  v: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }).map((steps) => {
    let sum = 0;
    return steps.map((step, i) => {
      sum += i === 0 ? 1 : step;
      return sum;
    });
  }),
});

describe('the predicted curve', () => {
  it('of a draft that always proposes is the theory’s, and its best γ is theory.bestGamma', () => {
    fc.assert(
      fc.property(share, costs, fc.integer({ min: 1, max: 20 }), (alpha, table, largest) => {
        const curve = predictedCurve({ alpha, proposing: 1, costs: table }, largest);
        const v = (rows: number) => rowCost(table, rows);
        for (let gamma = 1; gamma <= largest; gamma++) {
          const { c } = table;
          expect(curve[gamma]).toBeCloseTo(theory.predictedSpeedup({ alpha, gamma, c, v: v(gamma + 1) }), 12);
        }
        expect([curve.length, curve[0]]).toEqual([largest + 1, 1]);
        expect(bestOf(curve)).toBe(theory.bestGamma(alpha, { c: table.c, v }, largest));
      }),
    );
  });

  it('of a draft that is silent at times lies between 1 and that', () => {
    fc.assert(
      fc.property(share, share, costs, (alpha, proposing, table) => {
        const always = predictedCurve({ alpha, proposing: 1, costs: table }, 8);
        const found = predictedCurve({ alpha, proposing, costs: table }, 8);
        for (const [gamma, speedup] of found.entries()) {
          expect(speedup).toBeGreaterThanOrEqual(Math.min(1, always[gamma]) - 1e-12);
          expect(speedup).toBeLessThanOrEqual(Math.max(1, always[gamma]) + 1e-12);
        }
      }),
    );
    const silent = predictedCurve({ alpha: 1, proposing: 0, costs: { c: 0, v: [1] } }, 4);
    expect(silent).toEqual([1, 1, 1, 1, 1]);
    // Half of the rounds have 1.5 tokens for 1.7, the others 1 for 1.
    const half = predictedCurve({ alpha: 0.5, proposing: 0.5, costs: { c: 0.2, v: [1, 1.5] } }, 1);
    expect(half[1]).toBeCloseTo(1.25 / 1.35, 12);
  });
});

describe('the drafts to try', () => {
  it('are the given ones and the usual ones, each once', () => {
    const names = (request: Partial<Parameters<typeof candidatesOf>[0]>) =>
      candidatesOf({ given: [], only: false, bundled: null, layers: 6, ...request }).map(({ name }) => name);
    expect(names({})).toEqual(['self', 'self:q8:copy', 'copy', 'layers:1', 'layers:3']);
    expect(names({ bundled: 'pair' })).toEqual(['pair', 'self', 'self:q8:copy', 'copy', 'layers:1', 'layers:3']);
    expect(names({ given: [['x/y'], ['copy', 'x/y'], ['copy']], layers: 2 })).toEqual([
      'x/y',
      'copy,x/y',
      'copy',
      'self',
      'self:q8:copy',
      'layers:1',
    ]);
    expect(names({ given: [['random']], only: true, bundled: 'pair' })).toEqual(['random']);
    expect(names({ layers: 1 })).toEqual(['self', 'self:q8:copy', 'copy']);
  });

  it('without the target’s own type', () => {
    const self = { name: 'copy,self', draft: ['copy', 'self'] };
    expect([fits(self, 'q8'), fits(self, 'bf16'), fits({ name: '', draft: null }, 'q8')]).toEqual([false, true, true]);
    expect(fits({ name: '', draft: ['self:bf16'] }, 'bf16')).toBe(false);
    expect(fits({ name: '', draft: ['self:q8:copy'] }, 'q8')).toBe(false);
  });
});

/** A type at `plain` tokens a second, with drafts of which some γ were timed. */
function tried(dtype: 'f32' | 'q8', plain: number, measured: readonly (readonly [number, number][])[]): TriedType {
  return {
    ...{ asked: dtype, dtype, plain, v: [1], leftOut: [] },
    tried: measured.map((points, i) => ({
      candidate: { name: `draft ${i}`, draft: ['copy'] },
      ...{ alpha: 0.5, proposing: 1, costs: { c: 0, v: [1] }, curve: [1], gamma: 1 },
      points: points.map(([gamma, speedup]) => ({
        ...{ gamma, measured: speedup, predicted: 9, equal: true, plainTokensPerSecond: plain },
        tokensPerSecond: plain * speedup + gamma, // plain decoding beside this γ was not as fast as the median of all
      })),
    })),
  };
}

describe('the choice', () => {
  it('is printed with the numbers of its row', () => {
    const type = tried('f32', 10, [[[2, 1.2]], [[4, 1.5]]]);
    const backend = { name: 'wasm', level: 'simd', threads: 1 } as EngineFacts;
    const found = { target: 'a', backend, texts: 1, of: 1, temperature: 0, types: [type], settings: {} };
    const printed = page({ ...found, choice: choose([type]) });
    expect(printed).toMatch(/\n {2}draft 1 .* 4 +9\.00× +1\.50× +19\.0\n/);
    expect(printed).toMatch(/\nbest: draft 1, γ = 4: 1\.50×, 19\.0 tokens\/s\n/);
    expect(page({ ...found, choice: choose([tried('f32', 10, [[[2, 0.9]]])]) })).toMatch(
      /\n {2}none +0 +1\.00× +10\.0\n[\s\S]*\nbest: no draft: 1\.00×, 10\.0 tokens\/s\n/,
    );
  });

  it('is the largest measured speed-up, whatever was predicted', () => {
    const type = tried('f32', 10, [
      [
        [2, 1.2],
        [4, 1.5],
      ],
      [[3, 1.4]],
    ]);
    expect(choose([type])).toEqual({
      type,
      draft: type.tried[0].candidate,
      gamma: 4,
      speedup: 1.5,
      tokensPerSecond: 19,
    });
  });

  it('is no draft where none was faster', () => {
    for (const drafts of [
      [
        [
          [2, 0.9],
          [4, 1],
        ],
      ],
      [[]],
      [],
    ] as [number, number][][][]) {
      expect(choose([tried('f32', 10, drafts)])).toMatchObject({
        draft: null,
        gamma: 0,
        speedup: 1,
        tokensPerSecond: 10,
      });
    }
  });

  it('between types is the fastest', () => {
    const [slow, fast] = [tried('f32', 10, [[[2, 2]]]), tried('q8', 30, [[[2, 0.8]]])];
    expect(choose([slow, fast])).toMatchObject({ type: fast, draft: null, tokensPerSecond: 30 });
    expect(choose([tried('f32', 10, [[[2, 4]]]), fast])).toMatchObject({ gamma: 2, tokensPerSecond: 42 });
  });
});

test('texts are taken from all parts of a file', () => {
  expect(atEqualDistances([0, 1, 2, 3, 4, 5, 6], 3)).toEqual([0, 2, 4]);
  expect(atEqualDistances([0, 1], 9)).toEqual([0, 1]);
});

test('the picture has a line for each draft and a dot for each γ that was timed, in their places', () => {
  const svg = picture('a < b', [
    {
      label: 'x & y',
      curve: [1, 2],
      points: [
        { gamma: 1, measured: 1 },
        { gamma: 2, measured: 2 },
      ],
    },
    { label: 'z', curve: [1, 0.5, 0.25], points: [] },
  ]);
  expect(svg).toContain('a &lt; b');
  const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" [^>]*><title>x &amp; y, γ = (\d): (\d)/g)];
  expect(dots.map(([, x, y]) => [x, y])).toEqual([
    ['330.0', '245.0'],
    ['600.0', '50.0'],
  ]);
  expect([...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) => points)).toEqual([
    '60.0,245.0 330.0,50.0',
    '60.0,245.0 330.0,342.5 600.0,391.3',
  ]);
});
