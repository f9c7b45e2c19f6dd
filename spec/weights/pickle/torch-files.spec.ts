import fc from 'fast-check';
import type { ByteSource, WeightsError } from '../../../weights';
import { openTorchFile } from '../../../weights/pickle';
import { bufferSource } from '../../../weights/source';
import { goldenBytes } from '../../support/golden-files.node';
import { op, stateDict, tensorOf, torchFile, zipped } from '../../support/pickles';

const golden = (name: string) => goldenBytes(`torch-files/${name}`);
const KINDS = ['kinds.bin', 'kinds-protocol-4.bin', 'kinds-before-1.6.bin'];
const expected = JSON.parse(Buffer.from(golden('kinds.json')).toString()) as Record<
  string,
  { type: string; shape: number[]; hex: string }
>;

/** A source that counts what is read. */
function counted(bytes: Uint8Array): ByteSource & { total: number } {
  const inner = bufferSource('file.bin', bytes);
  return {
    ...inner,
    total: 0,
    async read(offset, length) {
      this.total += length;
      return inner.read(offset, length);
    },
  };
}

const open = (bytes: Uint8Array) => openTorchFile(bufferSource('file.bin', bytes));
const failure = (bytes: Uint8Array) =>
  open(bytes).then(
    () => null,
    (error: WeightsError) => `${error.code}: ${error.message}`,
  );

async function tensorIn(bytes: Uint8Array, name: string): Promise<Buffer> {
  const { index, source } = await open(bytes);
  const info = index.tensors.get(name);
  return Buffer.from(await source.read(info?.begin ?? -1, info?.bytes ?? -1));
}

const weight = async (bytes: Uint8Array) => {
  const content = await tensorIn(bytes, 'weight');
  return [...new Float32Array(content.buffer, content.byteOffset, content.byteLength / 4)];
};
const VIEW = { elements: 12, shape: [3, 4], strides: [4, 1] };

describe('a file of torch.save', () => {
  it.each(KINDS)('%s gives every tensor that torch reads from it: type, shape and bytes', async (file) => {
    const { index, source } = await open(golden(file));
    expect([...index.tensors.keys()]).toEqual(Object.keys(expected));
    for (const [name, { type, shape, hex }] of Object.entries(expected)) {
      const info = index.tensors.get(name);
      expect({ name, type: info?.type, shape: info?.shape }).toEqual({ name, type, shape });
      const content = await source.read(info?.begin ?? -1, info?.bytes ?? -1);
      expect(`${name} ${Buffer.from(content).toString('hex')}`).toBe(`${name} ${hex}`);
    }
    expect(index.tensors.get('same')?.sameAs).toBe('base');
    expect(index.tensors.get('rows')?.sameAs).toBeUndefined();
  });

  it('gives any part of any tensor', async () => {
    const { index, source } = await open(golden('kinds.bin'));
    const part = fc.record({
      name: fc.constantFrom(...Object.keys(expected)),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      to: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(part, async ({ name, from, to }) => {
        const { begin = -1, bytes = -1 } = index.tensors.get(name) ?? {};
        const [first, last] = [from, to].map((share) => Math.round(share * bytes)).sort((a, b) => a - b);
        const content = await source.read(begin + first, last - first);
        expect(Buffer.from(content).toString('hex')).toBe(expected[name].hex.slice(2 * first, 2 * last));
      }),
    );
  });

  it('is opened without its values, and a tensor is read without the others', async () => {
    const values = new Uint8Array(1 << 20);
    const pickle = stateDict(tensorOf({ elements: 1 << 18, offset: 8, shape: [4], strides: [1] }));
    const source = counted(
      zipped([
        ['m/data.pkl', pickle],
        ['m/data/0', values],
        ['m/data/1', values],
      ]),
    );
    const opened = await openTorchFile(source);
    expect(source.total).toBeLessThan(70_000); // the end of the file, where the list of entries may be
    const before = source.total;
    await opened.source.read(0, 16);
    expect(source.total - before).toBeLessThan(100);
  });

  it('may be of zip64, and its archive may have any name', async () => {
    expect(await weight(torchFile(stateDict(tensorOf(VIEW)), { zip64: true }))).toEqual([...Array(12).keys()]);
    expect(await weight(torchFile(stateDict(tensorOf({ ...VIEW, shape: [4, 3], strides: [1, 4] }))))).toEqual([
      0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11,
    ]);
  });

  const call = (name: string) => [op.global(name), op.emptyTuple, op.reduce];
  it.each([
    'os.system',
    'builtins.eval',
    '__builtin__.getattr',
    'torch.load',
    'torch.storage._load_from_bytes',
    'torch._utils._rebuild_sparse_tensor',
    'numpy.core.multiarray._reconstruct',
    'torch.__proto__',
    'torch.constructor',
  ])('refuses %s by its name', async (name) => {
    for (const pickle of [stateDict(call(name)), stateDict([op.global(name)])]) {
      expect(await failure(torchFile(pickle))).toContain(
        `expected nothing but tensors in a state dict, found a request for '${name}'`,
      );
    }
  });

  it('refuses a class that is named by text on the stack, and operations that run anything', async () => {
    const named = [op.text('posix'), op.text('system'), Buffer.from([0x93])];
    expect(await failure(torchFile(stateDict(named)))).toContain("a request for 'posix.system'");
    for (const code of ['i', 'o', '\x81', '\x92', '\x82', 'S', 'I']) {
      const found = await failure(torchFile(stateDict([Buffer.from(code, 'latin1'), Buffer.from('os\nsystem\n')])));
      expect(found).toMatch(/header-invalid: .*found operation 0x/);
    }
  });

  it.each([
    [
      'entries that are compressed',
      torchFile(stateDict(tensorOf(VIEW)), { method: 8 }),
      /'model\/data.pkl' .*compressed/,
    ],
    ['entries that are encrypted', torchFile(stateDict(tensorOf(VIEW)), { flags: 1 }), /'model\/data.pkl' .*encrypted/],
    ['a view past its storage', torchFile(stateDict(tensorOf({ ...VIEW, offset: 1 }))), /a view inside 12 elements/],
    [
      'more elements than it stores',
      torchFile(stateDict(tensorOf({ ...VIEW, shape: [1e6, 1e3], strides: [0, 0] }))),
      /a view inside/,
    ],
    ['negative strides', torchFile(stateDict(tensorOf({ ...VIEW, strides: [-4, 1] }))), /tensor-invalid/],
    [
      'a storage larger than its entry',
      torchFile(stateDict(tensorOf({ ...VIEW, elements: 13 }))),
      /storage '0' of 52 bytes, found 48/,
    ],
    [
      'a storage that is not there',
      torchFile(stateDict(tensorOf({ ...VIEW, key: '7' }))),
      /storage '7' of 48 bytes, found none/,
    ],
    [
      'a value that is no state dict',
      torchFile(Buffer.concat([op.proto, op.whole(1), op.stop])),
      /expected a state dict/,
    ],
    ['a pickle without an end', torchFile(op.dict), /a pickle that is whole/],
    ['an empty stack', torchFile(op.stop), /an empty stack/],
    ['no pickle', zipped([['m/data/0', new Uint8Array(4)]]), /one data.pkl, found 0/],
    [
      'an entry twice',
      zipped([
        ['m/a', op.stop],
        ['m/a', op.stop],
      ]),
      /each entry once/,
    ],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1'), /begins with 'version https/],
    ['nothing', Buffer.alloc(0), /begins with ''/],
    [
      'values in another order',
      zipped([
        ['m/data.pkl', op.stop],
        ['m/byteorder', Buffer.from('big')],
      ]),
      /little-endian order, found 'big'/,
    ],
  ])('with %s is refused', async (_what, bytes, message) => {
    expect(await failure(bytes)).toMatch(message);
  });

  it('with more operations than a state dict has is refused', async () => {
    const many = Buffer.alloc((1 << 20) + 1, ']');
    expect(await failure(torchFile(many))).toMatch(/at most 1048576 operations, found more/);
  });

  it('before 1.6 says where it breaks: cut off, longer, a count of elements changed', async () => {
    const file = golden('kinds-before-1.6.bin');
    expect(await failure(file.subarray(0, -1))).toMatch(/storages that end with the file/);
    expect(await failure(Buffer.concat([file, Buffer.alloc(1)]))).toMatch(/storages that end with the file/);
    expect(await failure(file.subarray(0, 900))).toMatch(/pickles that are whole/);
    const last = Buffer.from(file);
    const { index, source } = await open(last);
    const name = [...index.tensors.keys()].find((one) => one === 'base') as string;
    const { begin = 0, bytes = 0 } = index.tensors.get(name) ?? {};
    const content = Buffer.from(await source.read(begin, bytes));
    last[last.indexOf(content) - 8] ^= 1;
    await expect(tensorIn(last, name)).rejects.toThrow(/48 elements in storage/);
  });
});
