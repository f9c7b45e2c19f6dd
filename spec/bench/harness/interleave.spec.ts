import { interleave } from '../../../bench/harness/interleave';

describe('interleave', () => {
  test('every round runs every case once, in an order that rotates, after the warm-up', async () => {
    const order: string[] = [];
    const named = (name: string) => ({ name, calls: 1, run: () => void order.push(name) });
    const result = await interleave([named('a'), named('b'), named('c')], 4, { warmUp: 2 });
    expect(order.slice(0, 9).join('')).toBe('aaabbbccc');
    expect(order.slice(9).join('')).toBe('abc' + 'bca' + 'cab' + 'abc');
    expect(result.names).toEqual(['a', 'b', 'c']);
    expect(result.samples('b')).toHaveLength(4);
  });

  test('ratios are paired by round: the median of the rounds’ ratios, not the ratio of medians', async () => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      // Two calls warm up and calibrate; then three rounds.
      const taking = (name: string, times: readonly number[]) => {
        let call = 0;
        const run = (): void => {
          now += times[call++];
        };
        return { name, calls: 1, run };
      };
      const cases = [taking('base', [1, 1, 1, 10, 100]), taking('other', [1, 1, 5, 10, 500])];
      const result = await interleave(cases, 3, { warmUp: 1 });
      expect(result.medianMs('other') / result.medianMs('base')).toBe(1);
      expect(result.ratio('other', 'base')).toEqual({ median: 5, low: 3, high: 5 });
    } finally {
      clock.mockRestore();
    }
  });

  test('asynchronous work is awaited before the clock is read', async () => {
    let open = 0;
    const run = async (): Promise<void> => {
      open++;
      expect(open).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
    };
    await interleave(
      [
        { name: 'a', run, calls: 2 },
        { name: 'b', run, calls: 2 },
      ],
      3,
    );
    expect(open).toBe(0);
  });

  test('no cases, no rounds, a name twice or an unknown name is an error', async () => {
    const a = { name: 'a', run: () => undefined, calls: 1 };
    await expect(interleave([], 3)).rejects.toThrow(/at least one case/);
    await expect(interleave([a], 0)).rejects.toThrow(/one round/);
    await expect(interleave([a, a], 1)).rejects.toThrow(/found a twice/);
    const result = await interleave([a], 1);
    expect(() => result.medianMs('b')).toThrow(/found b/);
  });
});
