import fc from 'fast-check';
import type { ByteSource, WeightsError } from '../../../weights';
import { openTorchFile } from '../../../weights/pickle';
import { bufferSource } from '../../../weights/source';
import { op, stateDict, tensorOf } from '../../support/pickles';

/** A storage of float32: its name, and its values. */
interface Stored {
  readonly key: string;
  readonly values: readonly number[];
}

const pickle = (...parts: Uint8Array[]) => Buffer.concat([op.proto, ...parts, op.stop]);
const MAGIC = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');
const TRUE = Buffer.from([0x88]);
const FALSE = Buffer.from([0x89]);
const list = (items: readonly Uint8Array[]) => [Buffer.from(']'), op.mark, ...items, Buffer.from('e')];
const machine = (little: Uint8Array, name = 'little_endian') =>
  pickle(op.dict, op.mark, op.text('protocol_version'), op.whole(1001), op.text(name), little, op.setItems);

/** The tensors of all storages, whole, in a state dict. */
const all = (storages: readonly Stored[]) =>
  pickle(
    op.dict,
    op.mark,
    ...storages.flatMap(({ key, values: { length } }) => [
      op.text(`tensor ${key}`),
      ...tensorOf({ key, elements: length, shape: [length], strides: [1] }),
    ]),
    op.setItems,
  );

interface Parts {
  readonly magic: Uint8Array;
  readonly version: Uint8Array;
  readonly machine: Uint8Array;
  readonly state: Uint8Array;
  readonly names: Uint8Array;
  readonly counts: (length: number) => number;
}

/** A file of torch.save before 1.6. */
function legacy(storages: readonly Stored[], changes: Partial<Parts> = {}): Buffer {
  const parts: Parts = {
    magic: pickle(MAGIC),
    version: pickle(op.whole(1001)),
    machine: machine(TRUE),
    state: all(storages),
    names: pickle(...list(storages.map(({ key }) => op.text(key)))),
    counts: (length) => length,
    ...changes,
  };
  const values = storages.map(({ values }) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(parts.counts(values.length)));
    return Buffer.concat([count, new Uint8Array(Float32Array.from(values).buffer)]);
  });
  return Buffer.concat([parts.magic, parts.version, parts.machine, parts.state, parts.names, ...values]);
}

const open = (bytes: Uint8Array) => openTorchFile(bufferSource('f', new Uint8Array(bytes)));
const failure = (made: Promise<unknown>) =>
  made.then(
    () => 'no error',
    (error: WeightsError) => `${error.code}: ${error.message}`,
  );

async function valuesIn({ index, source }: Awaited<ReturnType<typeof open>>, name: string): Promise<number[]> {
  const { begin = -1, bytes = -1 } = index.tensors.get(name) ?? {};
  const found = new Uint8Array(await source.read(begin, bytes));
  return [...new Float32Array(found.buffer)];
}

const stored = fc.uniqueArray(
  fc.record({
    key: fc.stringMatching(/^[a-z0-9]{1,6}$/),
    values: fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 6 }),
  }),
  { maxLength: 5, selector: ({ key }) => key },
);
const TWO: Stored[] = [
  { key: 'a', values: [1, 2, 3] },
  { key: 'b', values: [4] },
];

describe('a file of torch.save before 1.6', () => {
  it('gives the values of every tensor, in whatever order its storages are', async () => {
    await fc.assert(
      fc.asyncProperty(stored, async (storages) => {
        const opened = await open(legacy(storages, { state: all([...storages].reverse()) }));
        expect([...opened.index.tensors.keys()].sort()).toEqual(storages.map(({ key }) => `tensor ${key}`).sort());
        for (const { key, values } of storages) expect(await valuesIn(opened, `tensor ${key}`)).toEqual(values);
      }),
    );
  });

  it('whose pickles are long is read from the start, twice as much each time, up to 16 MiB', async () => {
    const filler = (bytes: number) =>
      pickle(
        op.text('x'.repeat(bytes)),
        Buffer.from('0'),
        op.dict,
        op.mark,
        op.text('tensor a'),
        ...tensorOf({ key: 'a', elements: 3, shape: [3], strides: [1] }),
        op.setItems,
      );
    const bytes = async (length: number) => {
      const whole = legacy([TWO[0]], { state: filler(length) });
      const inner = bufferSource('f', new Uint8Array(whole));
      const asked: number[] = [];
      const source: ByteSource = {
        ...inner,
        read: (offset, count) => {
          if (offset === 0) asked.push(count);
          return inner.read(offset, count);
        },
      };
      const opened = await openTorchFile(source).catch((error: WeightsError) => error.message);
      if (typeof opened === 'string') return { asked, opened, size: whole.length };
      return { asked: asked.slice(1), values: await valuesIn(opened, 'tensor a'), size: whole.length };
    };
    const K = 1 << 10;
    const { size: small, ...first } = await bytes(10);
    expect(first).toEqual({ asked: [small], values: [1, 2, 3] });
    const { size: middle, ...second } = await bytes(600 * K);
    expect([middle > 512 * K, middle < 1024 * K, second]).toEqual([
      true,
      true,
      { asked: [256 * K, 512 * K, middle], values: [1, 2, 3] },
    ]);
    const large = await bytes(17 * K * K);
    expect(large.asked.slice(1)).toEqual([256, 512, 1024, 2048, 4096, 8192, 16_384].map((count) => count * K));
    expect(large.opened).toBe('f: expected pickles of at most 16777216 bytes, found more');
    const cut = legacy(TWO).subarray(0, 100);
    expect(await failure(open(cut))).toBe('header-invalid: f: expected pickles that are whole, found their end before');
  });

  const names = (...items: Uint8Array[]) => pickle(...list(items));
  it.each<[string, Partial<Parts>, RegExp]>([
    ['another magic number', { magic: pickle(op.whole(1)) }, /the magic number of torch.save, found another/],
    ['another version', { version: pickle(op.whole(1002)) }, /the magic number of torch.save, found another/],
    ['big-endian values', { machine: machine(FALSE) }, /values in little-endian order, found others/],
    ['no word of the order', { machine: machine(TRUE, 'other') }, /values in little-endian order, found others/],
    ['facts that are no dict', { machine: pickle(TRUE) }, /values in little-endian order, found others/],
    ['names that are no list', { names: pickle(op.whole(1)) }, /storage 'a', found none/],
    ['one name less', { names: names(op.text('a')) }, /storage 'b', found none/],
    ['one name twice', { names: names(op.text('a'), op.text('a')) }, /each storage once, found 'a' twice/],
    [
      'a name of nothing',
      { names: names(op.text('a'), op.text('b'), op.text('c')) },
      /names of storages of the state dict, found 'c'/,
    ],
    ['a name that is a number', { names: names(op.whole(7)) }, /names of storages of the state dict, found 7/],
    [
      'a state dict that is none',
      { state: pickle(op.whole(7)), names: names() },
      /expected storages that end with the file|expected a state dict/,
    ],
  ])('with %s is refused', async (_, changes, message) => {
    expect(await failure(open(legacy(TWO, changes)))).toMatch(message);
  });

  it('that is longer or shorter than its storages is refused, and so is a storage of another count, when it is read', async () => {
    const bytes = legacy(TWO);
    for (const other of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])]) {
      expect(await failure(open(other))).toMatch(/expected storages that end with the file \(\d+ bytes\), found \d+/);
    }
    const opened = await open(legacy(TWO, { counts: (length) => length + 1 }));
    expect(await failure(valuesIn(opened, 'tensor b'))).toMatch(/expected 1 elements in storage 'b', found 2/);
  });

  it('begins as a pickle of protocol 2', async () => {
    for (const first of [Buffer.from([0x80, 3]), Buffer.from([0x81, 2]), Buffer.from('P'), Buffer.from('K')]) {
      const bytes = Buffer.concat([first, legacy(TWO).subarray(first.length)]);
      expect(await failure(open(bytes))).toMatch(/expected a file that torch.save wrote, found one that begins with '/);
    }
    expect(await failure(open(stateDict([op.whole(1)])))).toMatch(/pickles that are whole/);
  });
});
