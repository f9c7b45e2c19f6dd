import fc from 'fast-check';
import { SlotPool } from '../../engine/slots';

describe('slot pool', () => {
  it('gives a slot to one list at a time, counts references, and gives a slot out again only when no list has it', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), n: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constant('share' as const), n: fc.nat(20) }),
      fc.record({ kind: fc.constant('drop' as const), n: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        let grownTo = 0;
        const pool = new SlotPool((slots) => {
          grownTo = slots;
        });
        const lists: Int32Array[] = [];
        for (const { kind, n } of commands) {
          if (kind === 'take') {
            const busy = new Set(lists.flatMap((slots) => [...slots]));
            const slots = pool.take(n);
            expect([...slots].some((slot) => busy.has(slot))).toBe(false);
            lists.push(slots);
          } else if (lists.length > 0) {
            const slots = lists[n % lists.length];
            if (kind === 'share') {
              pool.share(slots);
              lists.push(slots);
            } else {
              pool.drop(slots);
              lists.splice(n % lists.length, 1);
            }
          }
          const distinct = new Set(lists.flatMap((slots) => [...slots]));
          expect(pool.inUse).toBe(distinct.size);
          expect(Math.max(-1, ...distinct)).toBeLessThan(pool.size);
          expect(grownTo).toBe(pool.size);
        }
      }),
    );
  });

  it('gives slots that were dropped out again in the same order', () => {
    const pool = new SlotPool(() => undefined);
    pool.take(3);
    const slots = pool.take(5);
    pool.drop(slots);
    expect(pool.take(5)).toEqual(slots);
  });
});
