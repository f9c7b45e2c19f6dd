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

  it('a weight that fits exactly into what is left takes it, and one byte more does not fit', () => {
    for (const more of [0, 1]) {
      const banks = new Banks(countingInstance(), countingInstance, 3 * GIB);
      const found = [2 * GIB, GIB + more, 3.25 * GIB, GIB / 4 + more].map(
        (bytes) => banks.allocate(bytes, 'a weight').bank,
      );
      expect(found).toEqual(more === 0 ? [0, 0, 1, 1] : [0, 1, 2, 0]);
    }
  });

  it('what is given back is freed in its own memory, once and at its own address', () => {
    const freed: string[] = [];
    let memories = 0;
    const noting = () => {
      const bank = memories++;
      const instance = countingInstance();
      instance.memory.free = (at) => freed.push(`${bank} ${at}`);
      return instance;
    };
    const banks = new Banks(noting(), noting, 3 * GIB);
    const held = [2 * GIB, 3 * GIB, GIB].map((bytes) => ({ bytes, ...banks.allocate(bytes, 'a weight') }));
    for (const { bank, at, bytes } of held) banks.free(bank, at, bytes);
    expect(freed).toEqual(['0 0', '1 0', `0 ${2 * GIB}`]);
  });

  it('what is given back can be taken again', () => {
    const banks = new Banks(countingInstance(), countingInstance, 3 * GIB);
    const first = banks.allocate(2 * GIB, 'a weight');
    banks.free(first.bank, first.at, 2 * GIB);
    expect(banks.allocate(1.5 * GIB, 'a weight').bank).toBe(0);
  });
});
