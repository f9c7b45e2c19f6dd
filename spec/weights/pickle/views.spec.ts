import fc from 'fast-check';
import { Storage, StoredTensor } from '../../../weights/pickle/storages';
import { ViewSource } from '../../../weights/pickle/views';
import type { ByteSource, SafetensorsType } from '../../../weights/types';

const SIZES: Partial<Record<SafetensorsType, number>> = { F32: 4, BF16: 2, I8: 1, F64: 8 };
const AHEAD = 5; // bytes of the file before its first storage

/** Views of storages that lie inside them. */
const views = fc.array(
  fc.record({
    type: fc.constantFrom<SafetensorsType>('F32', 'BF16', 'I8', 'F64'),
    shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    strides: fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)),
    isContiguous: fc.boolean(),
    offset: fc.nat(3),
  }),
  { maxLength: 5 },
);

/** A file of storages one after the other, of bytes that differ, and the tensors in it. */
function fileOf(list: typeof views extends fc.Arbitrary<infer List> ? List : never) {
  const tensors: StoredTensor[] = [];
  const starts = new Map<Storage, number>();
  let size = AHEAD;
  for (const [i, { type, shape, strides, isContiguous, offset }] of list.entries()) {
    const inOrder = shape.map((_, axis) => shape.slice(axis + 1).reduce((all, one) => all * one, 1));
    const own = isContiguous ? inOrder : strides.slice(0, shape.length);
    const last = shape.includes(0) ? 0 : shape.reduce((sum, one, axis) => sum + (one - 1) * own[axis], 0);
    const storage = new Storage(String(i), type, offset + last + 1);
    starts.set(storage, size);
    size += storage.bytes;
    tensors.push(new StoredTensor(storage, offset, shape, own));
  }
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 37 + (i >> 8)) & 255);
  const reads: [number, number][] = [];
  let disposed = 0;
  const file: ByteSource = {
    ...{ name: 'a.bin', size },
    read: async (offset, length) => {
      reads.push([offset, length]);
      if (offset + length > size) throw new Error('past the end');
      return bytes.slice(offset, offset + length);
    },
    dispose: async () => {
      disposed++;
    },
  };
  const startOf = async (storage: Storage) => starts.get(storage) as number;
  return { file, bytes, tensors, startOf, reads, disposed: () => disposed };
}

/** The bytes of a tensor in row-major order, by its definition. */
function ordered({ storage, offset, shape, strides, elements }: StoredTensor, bytes: Uint8Array, start: number) {
  const size = SIZES[storage.type] as number;
  return Array.from({ length: elements }, (_, i) => {
    let [rest, at] = [i, offset];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return [...bytes.subarray(start + at * size, start + (at + 1) * size)];
  }).flat();
}

describe('the tensors of a file of torch, end to end', () => {
  it('have the bytes of their elements row by row, whatever part is read, and are read no further than they reach', async () => {
    await fc.assert(
      fc.asyncProperty(views, fc.double({ min: 0, max: 1, noNaN: true }), async (list, share) => {
        const { file, bytes, tensors, startOf, reads, disposed } = fileOf(list);
        const source = new ViewSource(file, startOf, tensors);
        let size = 0;
        for (const [i, tensor] of tensors.entries()) {
          expect(source.begins[i]).toBe(size);
          const expected = ordered(tensor, bytes, await startOf(tensor.storage));
          expect([...(await source.read(size, expected.length))]).toEqual(expected);
          const from = Math.floor(share * expected.length);
          const length = Math.ceil((expected.length - from) / 2);
          expect([...(await source.read(size + from, length))]).toEqual(expected.slice(from, from + length));
          size += expected.length;
        }
        expect([source.size, source.name]).toEqual([size, 'a.bin']);
        for (const [, length] of reads) expect(length).toBeGreaterThan(0);
        await source.dispose();
        expect(disposed()).toBe(1);
      }),
      { numRuns: 200 },
    );
  });

  it('with strides are put in order once, until another one is asked for; a read that fails is tried again', async () => {
    const turned = {
      type: 'F32' as const,
      shape: [2, 3],
      strides: [1, 2, 0] as [number, number, number],
      isContiguous: false,
      offset: 0,
    };
    const { file, tensors, startOf, reads } = fileOf([turned, turned]);
    let fails = 1;
    const failing = {
      ...file,
      read: (offset: number, length: number) =>
        fails-- > 0 ? Promise.reject(new Error('lost')) : file.read(offset, length),
    };
    const source = new ViewSource(failing, startOf, tensors);
    await expect(source.read(0, 4)).rejects.toThrow('lost');
    const whole = await source.read(0, 24);
    for (let at = 0; at < 24; at += 4) expect(await source.read(at, 4)).toEqual(whole.slice(at, at + 4));
    expect(reads).toHaveLength(1);
    await source.read(24, 4);
    await source.read(28, 4);
    expect(reads).toHaveLength(2);
    await source.read(0, 4);
    expect(reads).toHaveLength(3);
  });
});
