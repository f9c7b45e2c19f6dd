import fc from 'fast-check';
import { spreadOf } from '../../../cli/bench/spread';

describe('the spread of samples', () => {
  it('has a median that as many samples are below as above, and quartiles with a quarter and three quarters below', () => {
    const samples = fc.uniqueArray(fc.integer({ min: 1, max: 9999 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(samples, (list) => {
        const { median, margin } = spreadOf(list);
        const below = (value: number) => list.filter((one) => one < value).length;
        const from = (share: number) => list.find((one) => below(one) === Math.floor(share * list.length)) as number;
        expect(median).toBe(from(0.5));
        expect(margin).toBeCloseTo((50 * (from(0.75) - from(0.25))) / median, 9);
      }),
    );
  });

  it('is the same in any order, leaves the samples as they are, and is 0 where all are equal', () => {
    const list = Object.freeze([30, 4, 200, 1, 5]);
    expect(spreadOf(list)).toEqual({ median: 5, margin: 260 });
    expect(spreadOf([...list].reverse())).toEqual(spreadOf(list));
    expect(spreadOf([7, 7, 7, 7])).toEqual({ median: 7, margin: 0 });
  });
});
