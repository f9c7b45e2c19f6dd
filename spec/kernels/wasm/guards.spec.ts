import { createWasmBackend } from '../../../kernels/wasm';
import { LinearMemory } from '../../../kernels/wasm/linearMemory';
import { describeBackendLaws } from '../laws';
import { using } from '../laws/subject';
import { normal } from './screened';
import { TOLERANCE } from './support';

/** Boxes end on a multiple of so many bytes, because kernels read and write whole vectors. */
const VECTOR_BYTES = 16;
/** Bytes after each allocation, which nobody may write to. */
const GUARD_BYTES = 320;
/** Float32s and float64s of these bytes are NaN, so that a result shows whether one was read before it was written. */
const POISON = 0xff;

/** Where the guard of an allocation begins, and the byte that its words begin with: its own, so that no guard is like another one. */
interface Guard {
  readonly from: number;
  readonly mark: number;
}

/** The guards of allocations that are in use, by memory and address. */
const inUse = new Map<LinearMemory, Map<number, Guard>>();
/** What was allocated in all. */
let count = 0;

function checkGuard(memory: LinearMemory, at: number): void {
  const guard = inUse.get(memory)?.get(at);
  if (guard === undefined) return;
  const { from, mark } = guard;
  const found = memory.u8
    .subarray(from, from + GUARD_BYTES)
    .findIndex((byte, i) => byte !== (i % 4 === 0 ? mark : POISON));
  if (found >= 0)
    throw new Error(`expected nothing after ${from - at} bytes, found a value ${found} bytes behind them`);
}

function checkAll(): void {
  for (const [memory, places] of inUse) for (const at of places.keys()) checkGuard(memory, at);
}

const { allocate, free } = LinearMemory.prototype;
jest.spyOn(LinearMemory.prototype, 'allocate').mockImplementation(function (this: LinearMemory, bytes, what) {
  const own = Math.ceil(bytes / VECTOR_BYTES) * VECTOR_BYTES;
  const at = allocate.call(this, own + GUARD_BYTES, what);
  this.u8.fill(POISON, at, at + own + GUARD_BYTES);
  const guard = { from: at + own, mark: count++ & POISON };
  for (let i = 0; i < GUARD_BYTES; i += 4) this.u8[guard.from + i] = guard.mark;
  const places = inUse.get(this) ?? new Map<number, Guard>();
  inUse.set(this, places.set(at, guard));
  return at;
});
jest.spyOn(LinearMemory.prototype, 'free').mockImplementation(function (this: LinearMemory, at) {
  checkGuard(this, at);
  inUse.get(this)?.delete(at);
  free.call(this, at);
});

describe('memory that is full of NaN before it is written, with guards after each place', () => {
  describeBackendLaws('wasm', () => createWasmBackend({ threads: 1 }), { ...TOLERANCE, runs: 6 });
  describeBackendLaws(
    'wasm on two threads, with weights in several memories',
    () => createWasmBackend({ threads: 2, bankBytes: 1024 }),
    { ...TOLERANCE, runs: 2 },
  );

  test('holds the bounds of a certified head as well', async () => {
    const backend = await createWasmBackend({ threads: 1 });
    const table = normal(1, 16384 + 45, 40);
    await using(backend, async (boxes) => {
      const logits = boxes.logits();
      backend.head(logits, boxes.tensor(normal(2, 3, 40)), null, boxes.weight(table, 'f32'), 1);
      expect(await backend.tops?.(logits, 2)).not.toBeNull();
      await backend.blocks?.(logits, 1, [0, 513, 7]);
      await backend.argMax(logits);
      checkAll();
    });
    await backend.dispose();
  });

  test('holds the partial sums of a row of many chunks, which the first query asks for', async () => {
    const backend = await createWasmBackend({ threads: 1 });
    await using(backend, async (boxes) => {
      const logits = boxes.logits();
      backend.head(logits, boxes.tensor(normal(2, 1, 8)), null, boxes.weight(normal(1, 16384, 8), 'q8'), 1);
      await backend.logSumExp(logits, 0, 1);
      checkAll();
    });
    await backend.dispose();
  });

  afterAll(() => {
    checkAll();
    expect(count).toBeGreaterThan(1000);
  });
});
