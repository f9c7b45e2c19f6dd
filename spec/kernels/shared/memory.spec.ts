import { totalmem } from 'node:os';
import fc from 'fast-check';
import { memoryBytes } from '../../../kernels/shared/memory.node';

describe('the memory of the machine', () => {
  const real = process.constrainedMemory;
  afterEach(() => {
    process.constrainedMemory = real;
  });

  test('is what it has, or a container’s limit where that is lower; 0 and a version of Node without limits mean none', () => {
    const total = totalmem();
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 1, max: total }), fc.constant(2 ** 64)), (limit) => {
        process.constrainedMemory = () => limit;
        expect(memoryBytes()).toBe(Math.min(limit, total));
      }),
    );
    process.constrainedMemory = () => 0;
    expect(memoryBytes()).toBe(total);
    process.constrainedMemory = undefined as unknown as typeof real;
    expect(memoryBytes()).toBe(total);
  });
});
