import fc from 'fast-check';
import { type AreaName, type Exports, WasmInstance } from '../../../kernels/wasm/instance';
import { Address, Operation } from '../../../kernels/wasm/layout';
import { LinearMemory } from '../../../kernels/wasm/linearMemory';

const AREAS: readonly AreaName[] = ['rows', 'codes', 'steps', 'small', 'staging', 'results', 'screened'];
const BLOCKS = { floatRows: 4, codeRows: 4, codeBytes: 1 };

/** An instance without a compiled module: what it would run is noted, in order. */
function instanceOf(threads: number, isFirst = true) {
  const calls: string[] = [];
  const note =
    (name: string) =>
    (...args: number[]) => {
      calls.push(`${name} ${args.join(' ')}`);
    };
  const exports = { run: note('run'), setThread: note('setThread') } as unknown as Exports;
  const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 2048 }));
  const callThreads = isFirst ? null : () => calls.push('callThreads');
  return { instance: new WasmInstance(memory, exports, threads, BLOCKS, false, callThreads), memory, calls };
}

const area = fc.record({
  name: fc.constantFrom(...AREAS),
  bytes: fc.integer({ min: 1, max: 20_000 }),
  release: fc.boolean(),
});

describe('work areas', () => {
  it('have the bytes that were asked for, apart from one another, until they are released', () => {
    fc.assert(
      fc.property(fc.array(area, { minLength: 1, maxLength: 60 }), (steps) => {
        const { instance, memory } = instanceOf(1);
        const live = new Map<AreaName, { readonly at: number; readonly bytes: number }>();
        steps.forEach(({ name, bytes, release }) => {
          const before = live.get(name);
          const at = instance.area(name, bytes);
          if (before && bytes <= before.bytes)
            expect(at).toBe(before.at); // it stays where it is
          else live.set(name, { at, bytes });
          const mark = 1 + AREAS.indexOf(name);
          const { bytes: whole } = live.get(name) as { bytes: number };
          memory.u8.fill(mark, at, at + whole);
          if (release) {
            instance.release(name);
            live.delete(name);
          }
          for (const [other, one] of live) {
            const found = memory.u8.subarray(one.at, one.at + one.bytes);
            expect(found.every((byte) => byte === 1 + AREAS.indexOf(other))).toBe(true);
          }
        });
      }),
    );
  });

  it('stay where they are when as much is asked for again, with a gap before them that is large enough', () => {
    const { instance } = instanceOf(1);
    instance.area('rows', 5000);
    const at = instance.area('codes', 5000);
    instance.release('rows');
    expect(instance.area('codes', 5000)).toBe(at);
  });

  it('are given back when they grow and when they are released: the memory stays as large as one of them', () => {
    const { instance, memory } = instanceOf(1);
    const BYTES = 1_000_000;
    for (const name of AREAS) {
      instance.area(name, BYTES / 2);
      instance.area(name, BYTES);
      instance.release(name);
      instance.area(name, 1);
      instance.release(name);
    }
    expect(memory.u8.length).toBeLessThan(2 * BYTES);
  });
});

describe('what does not fit', () => {
  it('is named: a work area by its bytes, scratch memory by its threads', () => {
    const { instance } = instanceOf(3);
    expect(() => instance.area('rows', 2 ** 31)).toThrow(/^wasm: a work area of 2147483648 bytes does not fit: /);
    expect(() => instance.scratch(2 ** 30)).toThrow(/^wasm: scratch memory of 3 threads does not fit: /);
  });
});

describe('scratch memory', () => {
  it('has the bytes for every thread, in steps that no two threads share, and is told to them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 9 }),
        (threads, sizes) => {
          const { instance, memory } = instanceOf(threads);
          const used = memory.allocate(1, 'a test');
          for (const bytes of sizes) {
            instance.scratch(bytes);
            const [at, stride] = [memory.i32[Address.scratch >> 2], memory.i32[Address.scratchStride >> 2]];
            expect([at % 64, stride % 128]).toEqual([0, 0]);
            expect(stride).toBeGreaterThanOrEqual(bytes);
            expect(stride).toBeLessThan(Math.max(...sizes) + 128);
            expect(at).toBeGreaterThan(used);
            const next = memory.allocate(1, 'a test');
            expect(next >= at + stride * threads || next < at).toBe(true);
            memory.free(next);
          }
        },
      ),
    );
  });
});

describe('a job', () => {
  it('is shared where there are other threads and enough work, and those of another memory are called for it alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.constantFrom(99_999, 100_000)),
        (threads, isFirst, work) => {
          const { instance, calls } = instanceOf(threads, isFirst);
          expect(calls.splice(0)).toEqual([`setThread 0 ${threads} 1`]);
          instance.run(Operation.append, 7, work);
          const isShared = threads > 1 && work >= 100_000;
          const run = `run ${Operation.append} 7 ${isShared ? 1 : 0}`;
          expect(calls).toEqual(isShared && !isFirst ? ['callThreads', run] : [run]);
        },
      ),
    );
  });

  it('waits for other threads without sleeping where this one may not', () => {
    const { SharedArrayBuffer: shared } = globalThis;
    const wait = jest.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new TypeError('Atomics.wait cannot be called in this context');
    });
    expect(instanceOf(2).calls).toEqual(['setThread 0 2 0']);
    wait.mockRestore();
    try {
      Object.assign(globalThis, { SharedArrayBuffer: undefined });
      expect(instanceOf(2).calls).toEqual(['setThread 0 2 0']);
    } finally {
      Object.assign(globalThis, { SharedArrayBuffer: shared });
    }
    expect(instanceOf(2).calls).toEqual(['setThread 0 2 1']);
  });
});
