import { Banks } from '../../../kernels/wasm/banks';
import type { WasmInstance } from '../../../kernels/wasm/instance';

const GIB = 2 ** 30;

/** A memory that only counts: 4 GiB, as WebAssembly's. */
function countingInstance(): WasmInstance {
  let end = 0;
  const memory = {
    allocate: (bytes: number) => {
      if (end + bytes > 4 * GIB) throw new RangeError('full');
      end += bytes;
      return end - bytes;
    },
    free: () => undefined,
  };
  return { memory } as unknown as WasmInstance;
}

describe('memories past the first', () => {
  it('never fill up with weights: rows on their way through and packing find at least half a GiB', () => {
    const banks = new Banks(countingInstance(), countingInstance, 3 * GIB);
    const held = new Map<number, number>();
    for (let i = 0; i < 300; i++) {
      const bytes = 47 * 2 ** 20; // a matrix of an 11 B model as q8
      const { bank } = banks.allocate(bytes, 'a weight');
      held.set(bank, (held.get(bank) ?? 0) + bytes);
    }
    expect(held.size).toBeGreaterThan(3);
    for (const [bank, bytes] of held) expect(bytes).toBeLessThanOrEqual((bank === 0 ? 3 : 3.5) * GIB);
  });

  it('a weight larger than that limit still gets a memory of its own', () => {
    const banks = new Banks(countingInstance(), countingInstance, 3 * GIB);
    expect(banks.allocate(3.8 * GIB, 'a table').bank).toBe(1);
    expect(banks.allocate(3.8 * GIB, 'a table').bank).toBe(2);
    expect(banks.allocate(2 ** 20, 'a weight').bank).toBe(0);
  });

  it('what is given back can be taken again', () => {
    const banks = new Banks(countingInstance(), countingInstance, 3 * GIB);
    const first = banks.allocate(2 * GIB, 'a weight');
    banks.free(first.bank, first.at, 2 * GIB);
    expect(banks.allocate(1.5 * GIB, 'a weight').bank).toBe(0);
  });
});
