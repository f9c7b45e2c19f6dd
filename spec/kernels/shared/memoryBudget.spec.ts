import fc from 'fast-check';
import { KernelError } from '../../../kernels';
import { MemoryBudget } from '../../../kernels/shared/memoryBudget';

describe('the memory budget', () => {
  test('is the sum of what its boxes are charged, which never passes the capacity', () => {
    const charge = fc.record({ at: fc.nat(3), bytes: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(charge, { maxLength: 30 }), (charges) => {
        const budget = new MemoryBudget('cpu', 100);
        const boxes = [0, 1, 2, 3].map(() => ({ bytes: 0 }));
        const wanted = [0, 0, 0, 0];
        for (const { at, bytes } of charges) {
          const others = wanted.reduce((sum, one, i) => sum + (i === at ? 0 : one), 0);
          const fits = others + bytes <= 100;
          const ask = () => budget.allocate(boxes[at], bytes, 'a box', () => 'made');
          if (fits) {
            expect(ask()).toBe('made');
            wanted[at] = bytes;
          } else expect(ask).toThrow(`found ${others + bytes}`);
          expect([boxes.map((box) => box.bytes), budget.allocatedBytes]).toEqual([wanted, others + wanted[at]]);
        }
      }),
    );
  });

  test('a charge past the capacity is refused and changes nothing; a smaller charge always works', () => {
    const budget = new MemoryBudget('cpu', 100);
    const box = { bytes: 0 };
    budget.charge(box, 60, 'a box');
    expect(() => budget.charge({ bytes: 0 }, 41, 'another')).toThrow(KernelError);
    expect(() => budget.charge(box, 101, 'a box')).toThrow(/cpu: a box does not fit: expected at most 100 bytes/);
    expect([budget.allocatedBytes, box.bytes]).toEqual([60, 60]);
    budget.charge(box, 100, 'a box');
    budget.charge(box, 0, 'a box');
    expect(budget.allocatedBytes).toBe(0);
  });

  test('a refusal by the JavaScript engine is out-of-memory and gives the charge back; other errors pass', () => {
    const budget = new MemoryBudget('cpu', Number.MAX_SAFE_INTEGER);
    const box = { bytes: 7 };
    budget.charge(box, 8, 'a box');
    const huge = (): Float32Array => new Float32Array(2 ** 52);
    expect(() => budget.allocate(box, 2 ** 52, 'a box', huge)).toThrow(KernelError);
    const broken = (): never => {
      throw new TypeError('broken');
    };
    expect(() => budget.allocate(box, 9, 'a box', broken)).toThrow(TypeError);
    expect([budget.allocatedBytes, box.bytes]).toEqual([1, 8]);
  });
});
