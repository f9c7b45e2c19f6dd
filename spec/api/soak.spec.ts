import { Tandem } from '../../api';
import { SOAK_CALLS, soak } from '../support/soak';

const MEGABYTE = 2 ** 20;

describe('mixed calls of every kind, again and again', () => {
  it('give the same results in every pass, and hold no more memory and no more handles than after the second', async () => {
    const tandem = await Tandem.load(undefined, { threads: 1 });
    try {
      expect(Object.keys(SOAK_CALLS).length).toBeGreaterThanOrEqual(10);
      await soak(tandem, { passes: 2, heapGrowth: 16 * MEGABYTE, residentGrowth: 64 * MEGABYTE });
    } finally {
      await tandem.dispose();
    }
  }, 300_000);
});
