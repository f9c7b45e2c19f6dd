import fc from 'fast-check';
import { Places } from '../../server/places';

/** What a refusal says. */
function refusal(take: () => unknown) {
  try {
    take();
  } catch (error) {
    const { status, details } = error as { status: number; details: object };
    return { status, ...details };
  }
  return null;
}

const sizes = fc.record({ working: fc.integer({ min: 1, max: 9 }), queue: fc.nat(20) });

describe('places', () => {
  test('as many are taken as requests ask for, up to all; each is given back once, whoever gives it back twice', () => {
    const steps = fc.array(fc.record({ leaves: fc.boolean(), count: fc.integer({ min: 1, max: 8 }) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(sizes, steps, ({ working, queue }, list) => {
        const places = new Places(working, queue);
        const all = working + queue;
        const held: { count: number; leave(): void }[] = [];
        let used = 0;
        for (const { leaves, count } of list) {
          if (leaves) {
            const one = held.shift();
            one?.leave();
            one?.leave();
            used -= one?.count ?? 0;
          } else if (count > all) {
            const details = { status: 400, param: 'prompt', code: 'too_many_sequences' };
            expect(refusal(() => places.take(count, 'prompt'))).toEqual(details);
          } else if (used + count > all) {
            expect(refusal(() => places.take(count, 'prompt'))).toMatchObject({ status: 429, code: 'queue_full' });
          } else {
            held.push({ count, ...places.take(count, 'prompt') });
            used += count;
          }
          expect([places.used, places.all]).toEqual([used, all]);
        }
      }),
    );
  });

  test('who finds none hears to come again when half of the queue should be free: after 1 to 60 seconds, by how long requests last', () => {
    jest.useFakeTimers();
    try {
      fc.assert(
        fc.property(
          sizes,
          fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }),
          ({ working, queue }, lasted) => {
            const places = new Places(working, queue);
            let seconds = 1;
            for (const milliseconds of lasted) {
              const place = places.take(1, 'input');
              jest.advanceTimersByTime(milliseconds);
              place.leave();
              seconds = 0.8 * seconds + 0.2 * (milliseconds / 1000);
            }
            places.take(working + queue, 'input');
            const rounds = Math.max(1, (working + queue / 2) / working);
            const found = refusal(() => places.take(1, 'input')) as unknown as { headers: Record<string, string> };
            expect(found).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'queue_full' });
            const wait = Number(found.headers['Retry-After']);
            expect(Number.isInteger(wait)).toBe(true);
            // A sum of other roundings may lie on the other side of a whole number.
            const exact = Math.min(60, Math.max(1, rounds * seconds));
            expect(wait).toBeGreaterThan(exact - 1e-9);
            expect(wait).toBeLessThan(exact + 1 + 1e-9);
          },
        ),
      );
    } finally {
      jest.useRealTimers();
    }
  });

  test('are empty once the last one is given back, for all who wait for that', async () => {
    const places = new Places(2, 1);
    const heard: string[] = [];
    const wait = (name: string) => void places.empty().then(() => heard.push(name));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    wait('before');
    await turn();
    expect(heard).toEqual(['before']);
    const held = [places.take(2, 'prompt'), places.take(1, 'prompt')];
    wait('first');
    wait('second');
    held[0].leave();
    await turn();
    expect(heard).toEqual(['before']);
    held[1].leave();
    await turn();
    expect(heard).toEqual(['before', 'first', 'second']);
    places.take(1, 'prompt').leave(); // nobody hears twice
    await turn();
    expect(heard).toHaveLength(3);
  });
});
