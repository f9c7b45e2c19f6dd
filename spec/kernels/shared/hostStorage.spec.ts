import fc from 'fast-check';
import { packQ4 } from '../../../common';
import { hostWeightBytes } from '../../../kernels/shared/hostBoxes';
import { HostStorage } from '../../../kernels/shared/hostStorage';
import { WEIGHT_TYPES } from '../../../kernels/shared/storage';

const room = () => new HostStorage('cpu', 1 << 30);
const size = fc.integer({ min: 1, max: 70 });

describe('storage in typed arrays', () => {
  it('charges a weight for its values and scales, as many as its type has', () => {
    fc.assert(
      fc.property(size, size, fc.constantFrom(...WEIGHT_TYPES), (rows, cols, type) => {
        const storage = room();
        const { data, scales, bytes } = storage.createWeight(rows, cols, type);
        const blocks = rows * Math.ceil(cols / 32);
        const isCoded = type === 'q8' || type === 'q4';
        expect([data.length, scales.length]).toEqual([type === 'q4' ? blocks * 16 : rows * cols, isCoded ? blocks : 0]);
        expect(data.BYTES_PER_ELEMENT).toBe({ f32: 4, bf16: 2, q8: 1, q4: 1 }[type]);
        const whole = data.byteLength + scales.byteLength;
        expect([bytes, hostWeightBytes(rows, cols, type), storage.budget.allocatedBytes]).toEqual([
          whole,
          whole,
          whole,
        ]);
      }),
    );
  });

  it('keeps every bit of rows that are stored in the type of their weight, those of a signalling NaN too', () => {
    const bits = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0x7f81, max: 0x7fbf }));
    fc.assert(
      fc.property(size, fc.array(bits, { minLength: 1, maxLength: 140 }), (rows, some) => {
        const weight = room().createWeight(rows, 2, 'bf16');
        const stored = Uint16Array.from({ length: 2 * rows }, (_, i) => some[i % some.length]);
        room().fillWeight(weight, { firstRow: 0, rows, bytes: new Uint8Array(stored.buffer), stored: 'bf16' });
        expect([...weight.data]).toEqual([...stored]);
      }),
    );
  });

  it('keeps codes and scales of rows that are stored in q4, in any steps', () => {
    const cases = fc.record({ rows: size, cols: size, seed: fc.nat() });
    fc.assert(
      fc.property(cases, ({ rows, cols, seed }) => {
        const storage = room();
        const weight = storage.createWeight(rows, cols, 'q4');
        const blocks = Math.ceil(cols / 32);
        const codes = Uint8Array.from({ length: rows * blocks * 16 }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24);
        const scales = Float32Array.from({ length: rows * blocks }, (_, i) => (i % 5) - 2);
        for (let row = 0; row < rows; row += 64) {
          const end = Math.min(row + 64, rows);
          const part = {
            codes: codes.subarray(row * blocks * 16, end * blocks * 16),
            scales: scales.slice(row * blocks, end * blocks),
          };
          storage.fillWeight(weight, { firstRow: row, rows: end - row, bytes: packQ4(part, cols), stored: 'q4' });
        }
        expect({ codes: weight.data, scales: weight.scales }).toEqual({ codes, scales });
      }),
    );
  });

  it('lets a tensor and logits grow and never shrink, and charges them for the largest that they were', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(size, size), { minLength: 1, maxLength: 6 }), (shapes) => {
        const storage = room();
        const [tensor, logits] = [storage.createTensor(), storage.createLogits()];
        let largest = 0;
        for (const [rows, cols] of shapes) {
          const before = tensor.data;
          storage.resize(tensor, rows, cols);
          storage.resizeLogits(logits, rows, cols);
          if (rows * cols <= largest) expect(tensor.data).toBe(before);
          largest = Math.max(largest, rows * cols);
          expect([tensor.rows, tensor.cols, logits.rows, logits.vocabulary]).toEqual([rows, cols, rows, cols]);
          expect([tensor.data.length, logits.data.length]).toEqual([largest, largest]);
          expect(storage.budget.allocatedBytes).toBe(8 * largest);
        }
      }),
    );
  });

  it('keeps the rows of a cache that grows, and reads slots in any order', async () => {
    const slots = fc.array(fc.nat(3), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        slots,
        async (heads, dKv, asked) => {
          const storage = room();
          const cache = storage.createCache(heads, dKv);
          storage.growCache(cache, 4);
          for (let i = 0; i < cache.keys.length; i++) {
            cache.keys[i] = i;
            cache.values[i] = -i;
          }
          storage.growCache(cache, 9);
          const width = heads * dKv;
          expect([cache.slots, cache.keys.length, storage.budget.allocatedBytes]).toEqual([9, 9 * width, 72 * width]);
          const { keys, values } = await storage.readSlots(cache, Int32Array.from(asked));
          const expected = asked.flatMap((slot) => Array.from({ length: width }, (_, i) => slot * width + i));
          expect([Array.from(keys), Array.from(values, (value) => 0 - value)]).toEqual([expected, expected]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has copies of what a caller gives: lists of a plan, vectors, biases', () => {
    const storage = room();
    const lists = () => Int32Array.of(1, 2, 3);
    const spec = { write: lists(), start: lists(), count: lists(), keys: lists(), position: lists(), places: lists() };
    const plan = storage.createPlan();
    storage.storeLists(plan, spec as never);
    const [values, table] = [Float32Array.of(1, 2), Float32Array.of(1, 2, 3, 4)];
    const [vector, bias] = [storage.createVector(values), storage.createBias(2, 1, table)];
    expect([vector.length, bias.heads, bias.span, bias.offset]).toEqual([2, 2, 2, 1]);
    expect(storage.budget.allocatedBytes).toBe(values.byteLength + table.byteLength);
    for (const list of [...Object.values(spec), values, table]) list.fill(9);
    for (const name of Object.keys(spec) as (keyof typeof spec)[])
      expect([name, [...(plan[name] ?? [])]]).toEqual([name, [1, 2, 3]]);
    expect([[...vector.data], [...bias.table]]).toEqual([
      [1, 2],
      [1, 2, 3, 4],
    ]);
    storage.storeLists(plan, { ...spec, places: undefined } as never);
    expect(plan.places).toBeNull();
  });

  it('lets go of what is released', () => {
    const storage = room();
    const [cache, vector] = [storage.createCache(1, 2), storage.createVector(Float32Array.of(1))];
    storage.growCache(cache, 3);
    for (const box of [cache, vector]) storage.release(box);
    expect([cache.keys.length, cache.values.length, vector.data.length]).toEqual([0, 0, 0]);
  });
});
