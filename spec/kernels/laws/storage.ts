import fc from 'fast-check';
import { packQ8, q8Blocks, q8Values } from '../../../common';
import { quantizeRows, type StoredValueType } from '../../../kernels';
import { matrix, seed, shuffled, size } from './arbitraries';
import { type Boxes, bytesOf, expectNear, expectSameBits, type Subject, using } from './subject';

/** Stored patterns as bytes that start at an odd address, as they may in a file. */
function unaligned(bytes: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(bytes.byteLength + 1);
  shifted.set(bytes, 1);
  return shifted.subarray(1);
}

/** All patterns of a 16-bit type, or a million-fold span of float32, or every int8, with their exact values. */
function storedCases(stored: StoredValueType): { bytes: Uint8Array; values: Float32Array } {
  if (stored === 'i8') {
    const codes = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    return { bytes: bytesOf(codes), values: Float32Array.from(codes) };
  }
  if (stored === 'f32') {
    const values = Float32Array.from(
      { length: 4096 },
      (_, i) => (i % 2 ? -1 : 1) * (1 + i / 4096) * 2 ** ((i % 250) - 125),
    );
    return { bytes: bytesOf(values), values };
  }
  const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
  return { bytes: bytesOf(words), values: Float32Array.from(words, stored === 'f16' ? halfValue : upperHalfValue) };
}

/** IEEE 754 § 3.4 read from its definition: sign, exponent, fraction of `fractionBits`. */
function ieeeValue(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> (exponentBits + fractionBits) ? -1 : 1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = bits & (2 ** fractionBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (1 + fraction * 2 ** -fractionBits) * 2 ** (exponent - bias);
}

const halfValue = (bits: number): number => ieeeValue(bits, 5, 10);
const upperHalfValue = (bits: number): number => ieeeValue(bits, 8, 7);

/** Every value of a weight, read back by embedding all of its rows. */
export async function contents(boxes: Boxes, weight: ReturnType<Boxes['weight']>): Promise<Float32Array> {
  const out = boxes.out();
  boxes.backend.embed(
    out,
    weight,
    Int32Array.from({ length: weight.rows }, (_, i) => i),
  );
  return boxes.backend.read(out);
}

/** Storage: what goes in comes out. */
export function storageLaws({ backend, judge, types, runs, tolerance }: Subject): void {
  test('write, then read, gives the same bits for any shape, also when a box shrinks and grows', async () => {
    await using(backend(), async (boxes) => {
      const box = boxes.out();
      const shapes = fc.array(fc.tuple(seed, size(17), size(129)), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(shapes, async (list) => {
          for (const [from, rows, cols] of list) {
            const { values } = matrix(from, rows, cols);
            values[0] = [0, -0, Infinity, -Infinity, 1e-45, 3.4e38][from % 6];
            backend().write(box, rows, cols, values);
            expect([box.rows, box.cols]).toEqual([rows, cols]);
            expectSameBits(await backend().read(box), values);
          }
        }),
        { numRuns: runs },
      );
    });
  });

  test('a read is a copy: later calls do not change it', async () => {
    await using(backend(), async (boxes) => {
      const box = boxes.tensor(matrix(1, 2, 5));
      const first = await backend().read(box);
      const kept = first.slice();
      backend().write(box, 2, 5, matrix(2, 2, 5).values);
      expectSameBits(first, kept);
      expectSameBits(await backend().read(box), matrix(2, 2, 5).values);
    });
  });

  test('append takes the rows of a tensor, and nothing of those that it had before', async () => {
    await using(backend(), async (boxes) => {
      const cache = boxes.keep(backend().cache(2, 4, 3));
      const [keys, values] = [boxes.tensor(matrix(1, 3, 8)), boxes.tensor(matrix(2, 3, 8))];
      backend().append(cache, keys, values, Int32Array.of(0, 1, 2));
      const before = await backend().readCache(cache, Int32Array.of(0, 2));
      const [fewKeys, fewValues] = [matrix(3, 1, 8), matrix(4, 1, 8)];
      backend().write(keys, 1, 8, fewKeys.values);
      backend().write(values, 1, 8, fewValues.values);
      backend().append(cache, keys, values, Int32Array.of(1));
      const after = await backend().readCache(cache, Int32Array.of(0, 2, 1));
      expectSameBits(after.keys, Float32Array.of(...before.keys, ...fewKeys.values));
      expectSameBits(after.values, Float32Array.of(...before.values, ...fewValues.values));
    });
  });

  test('what a backend is given is copied: changing the host arrays afterwards changes nothing', async () => {
    const run = (spoil: boolean) =>
      using(backend(), async (boxes) => {
        const gain = matrix(1, 1, 8).values;
        const table = matrix(2, 2, 3).values;
        const x = matrix(3, 2, 8);
        const weights = matrix(4, 8, 8).values;
        const [write, keys, slots] = [Int32Array.of(2, 0), Int32Array.of(2, 2, 0), Int32Array.of(1)];
        const spec = { rows: 2, write, start: Int32Array.of(0, 1), count: Int32Array.of(1, 2), keys };
        const position = Int32Array.of(0, 1);
        const norm = boxes.norm(gain);
        const bias = boxes.keep(backend().bias(2, 1, table));
        const input = boxes.tensor(x);
        const weight = boxes.keep(backend().weight(8, 8, types[0]));
        backend().fill(weight, 0, bytesOf(weights), 'f32');
        const plan = boxes.keep(backend().plan());
        backend().arrange(plan, { ...spec, position });
        if (spoil)
          for (const array of [gain, table, x.values, weights, write, keys, position, spec.count]) array.fill(0);
        const [normed, out] = [boxes.out(), boxes.out()];
        backend().normLinear([normed], input, norm, [weight]);
        const cache = boxes.keep(backend().cache(2, 4, 3));
        backend().append(cache, boxes.tensor(matrix(5, 1, 8)), boxes.tensor(matrix(6, 1, 8)), slots);
        backend().attention(out, normed, { keys: input, values: normed }, cache, plan, bias);
        return backend().read(out);
      });
    expectSameBits(await run(true), await run(false));
  });

  const wide: readonly StoredValueType[] = ['f32', 'f16', 'bf16', 'i8'];
  if (types.includes('f32')) {
    test.each(wide)('every %s pattern becomes its exact float32 value', async (stored) => {
      const { bytes, values } = storedCases(stored);
      await using(backend(), async (boxes) => {
        const weight = boxes.keep(backend().weight(values.length / 64, 64, 'f32'));
        backend().fill(weight, 0, unaligned(bytes), stored);
        expectSameBits(await contents(boxes, weight), values);
      });
    });
  }

  if (types.includes('bf16')) {
    test('every bf16 and i8 pattern is kept exactly as bf16', async () => {
      for (const stored of ['bf16', 'i8'] as const) {
        const { bytes, values } = storedCases(stored);
        await using(backend(), async (boxes) => {
          const weight = boxes.keep(backend().weight(values.length / 64, 64, 'bf16'));
          backend().fill(weight, 0, unaligned(bytes), stored);
          expectSameBits(await contents(boxes, weight), values);
        });
      }
    });

    test('float32 becomes the nearest bf16, ties to even', async () => {
      const values = new Float32Array(64 * 64);
      for (let i = 0; i < values.length; i += 2) {
        const low = upperHalfValue(0x3f00 + i);
        const high = upperHalfValue(0x3f01 + i);
        values[i] = (low + high) / 2;
        values[i + 1] = i % 4 === 0 ? low + (high - low) * 0.499 : low + (high - low) * 0.501;
      }
      const expected = values.map((_, i) => {
        const even = i % 2 === 0;
        if (even) return upperHalfValue(0x3f00 + i);
        return upperHalfValue(0x3f00 + i - 1 + ((i - 1) % 4 === 0 ? 0 : 1));
      });
      await using(backend(), async (boxes) => {
        const weight = boxes.weight({ rows: 64, cols: 64, values }, 'bf16');
        expectSameBits(await contents(boxes, weight), expected);
      });
    });
  }

  test.each(types)(
    'stored q8 rows become %s: code · scale rounded once to float32, as the reference has it',
    async (type) => {
      const shape = fc.record({ seed, rows: size(70), cols: size(129), power: fc.integer({ min: -20, max: 20 }) });
      await fc.assert(
        fc.asyncProperty(shape, async ({ seed, rows, cols, power }) => {
          const { values } = matrix(seed, rows, cols, 2 ** power);
          const stored = { codes: new Int8Array(rows * cols), scales: new Float32Array(rows * q8Blocks(cols)) };
          quantizeRows(values, cols, stored.codes, stored.scales);
          const read = (of: ReturnType<typeof backend>) =>
            using(of, async (boxes) => {
              const weight = boxes.keep(of.weight(rows, cols, type));
              of.fill(weight, 0, unaligned(packQ8(stored, cols)), 'q8');
              return contents(boxes, weight);
            });
          const found = await read(backend());
          const room = type === 'q8' ? tolerance.elementwise : 0; // of the product in embed, not of what is stored
          expectNear(found, await read(judge()), room, (i) => Math.abs(found[i]));
          if (type === 'f32' || type === 'q8')
            expectNear(found, q8Values(stored, cols), room, (i) => Math.abs(found[i]));
        }),
        { numRuns: runs },
      );
    },
  );

  if (types.includes('q8')) {
    test('q8 is within half a step of max|w| / 127 in each block of 32, and as the reference has it', async () => {
      await fc.assert(
        fc.asyncProperty(
          seed,
          size(70),
          size(129),
          fc.integer({ min: -30, max: 30 }),
          async (from, rows, cols, power) => {
            const source = matrix(from, rows, cols, 2 ** power);
            const read = (of: ReturnType<typeof backend>) =>
              using(of, async (boxes) => contents(boxes, boxes.weight(source, 'q8')));
            const found = await read(backend());
            expectNear(found, await read(judge()), tolerance.elementwise, (i) => Math.abs(found[i]));
            for (let i = 0; i < found.length; i++) {
              const start = i - (i % cols) + 32 * Math.floor((i % cols) / 32);
              const block = source.values.subarray(start, Math.min(start + 32, i - (i % cols) + cols));
              const step = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
              expect(Math.abs(found[i] - source.values[i])).toBeLessThanOrEqual(step * 0.50001);
            }
          },
        ),
        { numRuns: runs },
      );
    });
  }

  test.each(types)('%s: filling in steps of 64 rows, in any order, equals one fill', async (type) => {
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 1, max: 300 }), size(70), async (from, rows, cols) => {
        const source = matrix(from, rows, cols);
        await using(backend(), async (boxes) => {
          const whole = await contents(boxes, boxes.weight(source, type));
          const pieces = boxes.keep(backend().weight(rows, cols, type));
          for (const step of shuffled(from, Math.ceil(rows / 64))) {
            const values = source.values.slice(step * 64 * cols, Math.min((step + 1) * 64, rows) * cols);
            backend().fill(pieces, step * 64, bytesOf(values), 'f32');
          }
          expectSameBits(await contents(boxes, pieces), whole);
        });
      }),
      { numRuns: runs },
    );
  });

  test.each(types)('%s: what a weight takes is what weightBytes says, and free gives it back', async (type) => {
    const { facts } = backend();
    const before = facts.allocatedBytes();
    for (const [rows, cols] of [
      [1, 1],
      [65, 33],
      [200, 64],
    ]) {
      const weight = backend().weight(rows, cols, type);
      expect(facts.allocatedBytes() - before).toBe(facts.weightBytes(rows, cols, type));
      backend().free(weight);
      expect(facts.allocatedBytes()).toBe(before);
    }
  });

  test('allocating and freeing over and over ends where it began', async () => {
    const before = backend().facts.allocatedBytes();
    for (let round = 0; round < 30; round++) {
      await using(backend(), async (boxes) => {
        const x = boxes.tensor(matrix(round, 3, 64));
        const out = boxes.out();
        boxes.keep(backend().cache(2, 4, 64));
        backend().linear(out, x, boxes.weight(matrix(round, 65, 64), types[0]), null);
        await backend().read(out);
      });
      expect(backend().facts.allocatedBytes()).toBe(before);
    }
  });
}
