import fc from 'fast-check';
import { SlotPool } from '../../engine/slots';

describe('slot pool', () => {
  it('hands a slot to one holder at a time, counts shares, and reuses what is given back', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), n: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constant('share' as const), n: fc.nat(20) }),
      fc.record({ kind: fc.constant('drop' as const), n: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        let told = 0;
        const pool = new SlotPool((slots) => {
          told = slots;
        });
        const held: Int32Array[] = [];
        for (const { kind, n } of commands) {
          if (kind === 'take') {
            const busy = new Set(held.flatMap((slots) => [...slots]));
            const slots = pool.take(n);
            expect([...slots].some((slot) => busy.has(slot))).toBe(false);
            held.push(slots);
          } else if (held.length > 0) {
            const slots = held[n % held.length];
            if (kind === 'share') {
              pool.share(slots);
              held.push(slots);
            } else {
              pool.drop(slots);
              held.splice(n % held.length, 1);
            }
          }
          const distinct = new Set(held.flatMap((slots) => [...slots]));
          expect(pool.inUse).toBe(distinct.size);
          expect(Math.max(-1, ...distinct)).toBeLessThan(pool.size);
          expect(told).toBe(pool.size);
        }
      }),
    );
  });

  it('finds rolled-back slots again in the same order', () => {
    const pool = new SlotPool(() => undefined);
    pool.take(3);
    const slots = pool.take(5);
    pool.drop(slots);
    expect(pool.take(5)).toEqual(slots);
  });
});
