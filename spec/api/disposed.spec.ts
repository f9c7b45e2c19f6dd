import type { Tandem } from '../../api';
import { tableTandem } from '../support/table-tandem';

/** Every call of a loaded pair. */
const CALLS: Readonly<Record<string, (tandem: Tandem) => unknown>> = {
  generate: (tandem) => tandem.generate('abc'),
  stream: (tandem) => tandem.stream('abc').result,
  compare: (tandem) => tandem.compare('abc'),
  measureCosts: (tandem) => tandem.measureCosts('abc'),
  score: (tandem) => tandem.score('abc', 'de'),
  embed: (tandem) => tandem.embed('abc'),
  encode: (tandem) => tandem.encode('abc'),
  decode: (tandem) => tandem.decode([2, 3]),
};

describe('a pair that is disposed', () => {
  it.each(Object.entries(CALLS))('refuses %s, which it did before', async (_, call) => {
    const { tandem, open } = tableTandem({ seed: 1 });
    await Promise.resolve(call(tandem)).catch((error: { code?: string }) => expect(error.code).not.toBe('disposed'));
    await tandem.dispose();
    const refused = Promise.resolve().then(() => call(tandem));
    await expect(refused).rejects.toMatchObject({ name: 'TandemError', code: 'disposed' });
    expect(open()).toBe(0);
  });
});
