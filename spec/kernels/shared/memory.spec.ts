import { KernelError } from '../../../kernels';
import { Memory } from '../../../kernels/shared/memory';

describe('memory', () => {
  test('a charge past the capacity is refused and changes nothing; giving back always works', () => {
    const memory = new Memory('cpu', 100);
    const box = { bytes: 0 };
    memory.charge(box, 60, 'a box');
    expect(() => memory.charge({ bytes: 0 }, 41, 'another')).toThrow(KernelError);
    expect(() => memory.charge(box, 101, 'a box')).toThrow(/cpu: a box does not fit: expected at most 100 bytes/);
    expect([memory.allocatedBytes, box.bytes]).toEqual([60, 60]);
    memory.charge(box, 100, 'a box');
    memory.charge(box, 0, 'a box');
    expect(memory.allocatedBytes).toBe(0);
  });

  test('a refusal by the JavaScript engine is out-of-memory and gives the charge back; other errors pass', () => {
    const memory = new Memory('cpu', Number.MAX_SAFE_INTEGER);
    const box = { bytes: 7 };
    memory.charge(box, 8, 'a box');
    const huge = (): Float32Array => new Float32Array(2 ** 52);
    expect(() => memory.allocate(box, 2 ** 52, 'a box', huge)).toThrow(KernelError);
    const broken = (): never => {
      throw new TypeError('broken');
    };
    expect(() => memory.allocate(box, 9, 'a box', broken)).toThrow(TypeError);
    expect([memory.allocatedBytes, box.bytes]).toEqual([1, 8]);
  });
});
