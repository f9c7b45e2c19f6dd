import fc from 'fast-check';
import { LinearMemory } from '../../../kernels/wasm/linearMemory';

const fresh = () => new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 2048 }));

describe('linear memory', () => {
  test('live allocations never overlap, stay inside the memory and keep their content, in any order of frees', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 90_000 }), drop: fc.option(fc.nat()) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = fresh();
        const live: { at: number; bytes: number; mark: number }[] = [];
        steps.forEach(({ bytes, drop }, i) => {
          if (drop !== null && live.length > 0) {
            const { at } = live.splice(drop % live.length, 1)[0];
            memory.free(at);
            memory.free(at); // does nothing
          }
          const at = memory.allocate(bytes, 'a test');
          expect(at % 64).toBe(0);
          memory.u8.fill(i & 255, at, at + bytes);
          live.push({ at, bytes, mark: i & 255 });
        });
        for (const { at, bytes, mark } of live) {
          expect(at + bytes).toBeLessThanOrEqual(memory.u8.length);
          expect(memory.u8.subarray(at, at + bytes).every((value) => value === mark)).toBe(true);
        }
      }),
    );
  });

  test('what is freed is used again: a cycle of the same sizes does not grow the memory', () => {
    const memory = fresh();
    const cycle = () => {
      const all = [5000, 70_000, 64, 300_000, 1].map((bytes) => memory.allocate(bytes, 'a test'));
      for (const at of [all[2], all[0], all[4], all[1], all[3]]) memory.free(at);
    };
    cycle();
    const { length } = memory.u8;
    for (let i = 0; i < 50; i++) cycle();
    expect(memory.u8.length).toBe(length);
  });

  test('when all is free again a place of any size has the first address, whatever was freed in what order', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.integer({ min: 1, max: 900_000 }), (all, turn, bytes) => {
        const memory = fresh();
        const first = memory.allocate(1, 'a test');
        memory.free(first);
        const places = all.map((size) => memory.allocate(size, 'a test'));
        const cut = turn % places.length;
        for (const at of [...places.slice(cut), ...places.slice(0, cut).reverse()]) memory.free(at);
        expect(memory.allocate(bytes, 'a test')).toBe(first);
      }),
    );
  });

  test('what does not fit is refused as out-of-memory with sizes, and leaves the rest usable', () => {
    const memory = fresh();
    const at = memory.allocate(1000, 'a test');
    expect(() => memory.allocate(2 ** 31, 'a huge weight')).toThrow(
      expect.objectContaining({
        code: 'out-of-memory',
        message: expect.stringMatching(
          /^wasm: a huge weight does not fit: expected at most 4294901760 bytes .*, found \d+$/,
        ),
      }),
    );
    expect(() => memory.allocate(2 ** 33, 'a weight past 32 bits')).toThrow(
      expect.objectContaining({ code: 'out-of-memory' }),
    );
    memory.u8[at] = 7;
    expect(memory.allocate(1000, 'a test')).not.toBe(at);
    expect(memory.u8[at]).toBe(7);
  });

  test('never has the last page of 32-bit addresses, even where the system would give it', () => {
    const PAGE = 65536;
    const PAGES = 65535;
    const offset = fc.integer({ min: -70_000, max: 70_000 });
    fc.assert(
      fc.property(fc.oneof(offset, fc.constantFrom(-PAGE, -64, 0, 64)), (past) => {
        const buffer = new ArrayBuffer(PAGE);
        const grown: number[] = [];
        // The pages that it grows by are counted and are not there: nothing is written.
        const memory = new LinearMemory({ buffer, grow: (more: number) => grown.push(more) } as never);
        const bytes = PAGES * PAGE - PAGE + past;
        const size = Math.ceil(bytes / 64) * 64;
        if (PAGE + size <= PAGES * PAGE) {
          expect(memory.allocate(bytes, 'a test')).toBe(PAGE);
          expect(grown).toEqual([Math.ceil(size / PAGE)]);
        } else {
          const refused = { code: 'out-of-memory', message: expect.stringContaining(`found ${PAGE + size}`) };
          expect(() => memory.allocate(bytes, 'a test')).toThrow(expect.objectContaining(refused));
          expect(grown).toEqual([]);
          expect(memory.allocate(64, 'a test')).toBe(PAGE);
        }
      }),
    );
  });
});
