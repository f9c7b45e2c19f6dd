import { fromPretrained } from '../../../weights';
import { HUB_OPTIONS } from '../../../weights/hub/options';
import { hubRoom } from '../../support/hub-room';

const WRONG: readonly unknown[] = [null, true, 0, -1, 1.5, Number.NaN, '', 'x y', [], {}, () => 0, 7n, Symbol('s')];

describe('options of fromPretrained', () => {
  const cases = Object.entries(HUB_OPTIONS).flatMap(([name, rule]) =>
    WRONG.filter((value) => !rule.holds(value)).map((value) => [name, value] as const),
  );

  it.each(cases)('%s: %p is refused by name, before anything is asked', async (name, value) => {
    const room = await hubRoom();
    const options = { endpoint: room.hub.endpoint, cacheDir: room.cacheDir, [name]: value } as object;
    await expect(fromPretrained('org/tiny', options)).rejects.toMatchObject({ code: 'option-invalid' });
    await expect(fromPretrained('org/tiny', options)).rejects.toThrow(new RegExp(`^${name}: expected .*, found `));
    expect(room.hub.log).toEqual([]);
    await room.dispose();
  });

  it('are every one covered by that', () => {
    expect(new Set(cases.map(([name]) => name))).toEqual(new Set(Object.keys(HUB_OPTIONS)));
    expect(cases.length).toBeGreaterThan(90);
  });

  it.each([[null], [5], ['x'], [[]]])('cannot be %p', async (options) => {
    await expect(fromPretrained('org/tiny', options as never)).rejects.toMatchObject({ code: 'option-invalid' });
  });

  it.each([[''], [5], [null], [undefined], [{}]])('the location cannot be %p', async (location) => {
    await expect(fromPretrained(location as never)).rejects.toThrow(
      /^location: expected a directory or a hub id, found/,
    );
  });

  it('that are misspelt are refused with the nearest name', async () => {
    const misspelt = fromPretrained('org/tiny', { cache_dir: '/x' } as never);
    await expect(misspelt).rejects.toThrow(/unknown option 'cache_dir'; did you mean 'cacheDir'\?/);
  });

  it.each([
    ['token', { token: 'hf secret' }],
    ['endpoint', { endpoint: 'https://me:hf secret@hub.test' }],
  ])('a wrong %s is not repeated in the message', async (name, options) => {
    const failure = await fromPretrained('org/tiny', options).catch((error) => error);
    expect(failure.message).toMatch(new RegExp(`^${name}: expected .*, found`));
    expect(failure.message).not.toContain('secret');
  });

  it('a signal that has aborted already ends the call at once, also for a directory', async () => {
    for (const location of ['org/tiny', __dirname]) {
      const cancelled = fromPretrained(location, { signal: AbortSignal.abort() });
      await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    }
  });
});
