import fc from 'fast-check';
import { LogitsPool } from '../../engine/logits';
import { createReferenceBackend } from '../../kernels';

describe('boxes of logits', () => {
  it('belong to one view at a time, are used again after it, and are all freed at the end', async () => {
    const backend = createReferenceBackend();
    const freed: object[] = [];
    const counted = { ...backend, free: (box: Parameters<typeof backend.free>[0]) => void freed.push(box) };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 30 }), (steps) => {
        const pool = new LogitsPool(counted);
        const seen = new Set<object>();
        const open: { box: object; view: ReturnType<typeof pool.view> }[] = [];
        let most = 0;
        for (const [take, pick] of steps) {
          if (take || open.length === 0) {
            const box = pool.take();
            expect(open.map((one) => one.box)).not.toContain(box);
            seen.add(box);
            open.push({ box, view: pool.view(box) });
          } else {
            const [{ view }] = open.splice(pick % open.length, 1);
            view.dispose();
            view.dispose(); // the second call gives nothing back
          }
          most = Math.max(most, open.length);
        }
        expect(seen.size).toBe(most);
        freed.length = 0;
        pool.free();
        expect(new Set(freed)).toEqual(seen);
        expect(freed).toHaveLength(seen.size);
      }),
    );
  });

  it('cannot be read through a view that was disposed', async () => {
    const pool = new LogitsPool(createReferenceBackend());
    const view = pool.view(pool.take());
    view.dispose();
    const one = Int32Array.of(0);
    for (const read of [
      () => view.argMax(),
      () => view.logSumExp(0, 1),
      () => view.at(one, one),
      () => view.topK(0, 1),
      () => view.read(0),
    ]) {
      expect(read).toThrow(/logits: expected a view in use, found one that was disposed/);
    }
  });
});
