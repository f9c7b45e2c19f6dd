import fc from 'fast-check';
import { SharedEncodings, wholeShare } from '../../decoding/encodings';
import type { Encoded } from '../../engine';

/** An encoding that counts how often it is given back. */
function counted() {
  const encoded = { disposals: 0, dispose: () => void encoded.disposals++ };
  return encoded;
}
type Counted = ReturnType<typeof counted>;
const asEncoded = (one: Counted) => one as unknown as Encoded;

describe('encodings that sequences share', () => {
  it('are made when their first user comes and given back when the last one goes, once, in any order of takes and disposals', async () => {
    const step = fc.record({ key: fc.nat(2), end: fc.boolean(), pick: fc.nat(99) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const shared = new SharedEncodings();
        const keys = [{}, {}, {}];
        const made: Counted[] = [];
        const open: { key: number; one: Counted; share: Awaited<ReturnType<SharedEncodings['take']>> }[] = [];
        for (const { key, end, pick } of steps) {
          if (end && open.length > 0) {
            const [{ key: gone, one, share }] = open.splice(pick % open.length, 1);
            share.dispose();
            const isUsed = open.some((other) => other.one === one);
            share[Symbol.dispose](); // a second time: others have their shares still
            expect([one.disposals, shared.has(keys[gone])]).toEqual([isUsed ? 0 : 1, isUsed]);
          } else {
            const known = open.find((other) => other.key === key);
            const before = made.length;
            const share = await shared.take(keys[key], async () => {
              made.push(counted());
              return asEncoded(made[made.length - 1]);
            });
            expect(made.length).toBe(known ? before : before + 1);
            const one = share.encoded as unknown as Counted;
            if (known) expect(one).toBe(known.one);
            open.push({ key, one, share });
            expect([one.disposals, shared.has(keys[key])]).toEqual([0, true]);
          }
        }
      }),
    );
  });

  it('are waited for by all who come meanwhile; an error goes to each, and the next one tries again', async () => {
    const shared = new SharedEncodings();
    const key = {};
    let calls = 0;
    const fail = async () => {
      calls++;
      throw new Error('no room');
    };
    const all = await Promise.allSettled([shared.take(key, fail), shared.take(key, fail)]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([calls, shared.has(key)]).toEqual([1, false]);
    const one = counted();
    const [first, second] = await Promise.all([shared.take(key, async () => asEncoded(one)), shared.take(key, fail)]);
    expect([calls, first.encoded === second.encoded]).toEqual([1, true]);
    first.dispose();
    expect(one.disposals).toBe(0);
    second.dispose();
    expect([one.disposals, shared.has(key)]).toEqual([1, false]);
  });

  it('that nobody else has a share of are given back once', () => {
    const one = counted();
    const share = wholeShare(asEncoded(one));
    expect(share.encoded).toBe(one);
    share.dispose();
    share[Symbol.dispose]();
    expect(one.disposals).toBe(1);
  });
});
