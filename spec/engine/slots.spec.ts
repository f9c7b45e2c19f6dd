import fc from 'fast-check';
import { EncodedSource } from '../../engine/encoded';
import { SlotPool } from '../../engine/slots';
import { Stream } from '../../engine/stream';

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

  it('grows only when every slot is taken, and has every slot to give after it has grown', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }), (counts) => {
        let growths = 0;
        const pool = new SlotPool(() => {
          growths++;
        });
        for (const count of counts) pool.take(count);
        const rest = pool.size - pool.inUse;
        expect(pool.shortage(rest)).toBe(0);
        const before = growths;
        expect(new Set(pool.take(rest)).size).toBe(rest);
        expect(growths).toBe(before);
        expect(pool.shortage(1)).toBe(1);
      }),
    );
  });

  it('gives slots of a source and of a stream back once, however often they are disposed', () => {
    const pools = { selfSlots: new SlotPool(() => undefined), crossSlots: new SlotPool(() => undefined) };
    const { selfSlots, crossSlots } = pools;
    const source = new EncodedSource([3, 4, 1], undefined, crossSlots.take(3), pools);
    const stream = new Stream(source, selfSlots);
    stream.setPending([0, 1], [-1, 0], selfSlots.take(2));
    stream.dispose();
    source.dispose();
    const again = [crossSlots.take(3), selfSlots.take(2)]; // the same slots, for others
    stream.dispose();
    source.dispose();
    expect([crossSlots.inUse, selfSlots.inUse]).toEqual([3, 2]);
    expect([...crossSlots.take(9)].filter((slot) => again[0].includes(slot))).toEqual([]);
    expect([...selfSlots.take(9)].filter((slot) => again[1].includes(slot))).toEqual([]);
  });
});
