import { bytesOf, LEVELS } from '../../../kernels/wasm/modules';

type Modules = typeof import('../../../kernels/wasm/modules');

describe('compiled modules', () => {
  it('are valid for shared memory and for memory of one thread, and differ in nothing else', () => {
    for (const level of LEVELS) {
      for (const wide of [false, true]) {
        const [own, shared] = [false, true].map((isShared) => bytesOf(level, isShared, wide));
        const different = [...own.keys()].filter((at) => own[at] !== shared[at]);
        expect(different).toHaveLength(1);
        expect([own[different[0]], shared[different[0]]]).toEqual([1, 3]);
        expect(WebAssembly.validate(own)).toBe(WebAssembly.validate(shared));
      }
    }
  });

  it('for wide arithmetic are refused where there are none, as in a page; the others are there', async () => {
    jest.doMock('../../../kernels/wasm/wide/code.node', () => ({ WIDE_CODE: null }));
    try {
      await jest.isolateModulesAsync(async () => {
        const fresh: Modules = require('../../../kernels/wasm/modules');
        for (const level of LEVELS) {
          for (const shared of [false, true]) {
            expect(() => fresh.bytesOf(level, shared, true)).toThrow(
              expect.objectContaining({ name: 'KernelError', code: 'unavailable' }),
            );
            expect(fresh.bytesOf(level, shared)).toEqual(bytesOf(level, shared));
          }
        }
      });
    } finally {
      jest.dontMock('../../../kernels/wasm/wide/code.node');
    }
  });
});
