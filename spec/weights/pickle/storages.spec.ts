import fc from 'fast-check';
import { StateDictMakers, Storage, StoredTensor } from '../../../weights/pickle/storages';
import { Dictionary, type Pickled } from '../../../weights/pickle/unpickle';

const TYPES: Record<string, [type: string, bytes: number]> = {
  ...{ FloatStorage: ['F32', 4], HalfStorage: ['F16', 2], BFloat16Storage: ['BF16', 2], DoubleStorage: ['F64', 8] },
  ...{ LongStorage: ['I64', 8], IntStorage: ['I32', 4], ShortStorage: ['I16', 2], CharStorage: ['I8', 1] },
  ...{ ByteStorage: ['U8', 1], BoolStorage: ['BOOL', 1] },
};

/** A reader of one file, and the name of what it made. */
function makers() {
  const all = new StateDictMakers('a.bin');
  const global = (name: string) => {
    const at = name.lastIndexOf('.');
    return all.global(name.slice(0, at), name.slice(at + 1)) as Pickled;
  };
  const storage = (elements: number, kind = 'FloatStorage', key = '0') =>
    all.persistent(['storage', global(`torch.${kind}`), key, 'cpu', elements] as Pickled) as unknown as Storage;
  const tensor = (...args: unknown[]) =>
    all.call(global('torch._utils._rebuild_tensor_v2'), args as Pickled) as unknown;
  return { all, global, storage, tensor };
}

const code = (wanted: string) => expect.objectContaining({ code: wanted, message: expect.stringMatching(/^a\.bin: /) });

/** What a call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return null;
}

describe('what a state dict is made of', () => {
  it.each(Object.entries(TYPES))('%s has elements of %j', (kind, [type, bytes]) => {
    const found = makers().storage(6, kind);
    expect([found.type, found.elementBytes, found.bytes]).toEqual([type, bytes, 6 * bytes]);
  });

  it.each([
    ...['os.system', 'builtins.eval', 'torch.load', 'torch.QInt8Storage', 'torch.toString', 'other.FloatStorage'],
    ...['collections.Counter', 'torch._utils._rebuild_sparse_tensor', 'torch.FloatStorage.x'],
  ])('%s is asked for and refused by name', (name) => {
    const error = thrown(() => makers().global(name)) as Error;
    expect(error).toEqual(code('header-invalid'));
    expect(error.message).toContain(name);
  });

  it('an ordered dict without arguments, and a parameter that is its tensor', () => {
    const { all, global, storage, tensor } = makers();
    const dict = global('collections.OrderedDict');
    expect(all.call(dict, [])).toBeInstanceOf(Dictionary);
    expect(thrown(() => all.call(dict, [[]]))).toEqual(code('header-invalid'));
    const own = tensor(storage(4), 0, [4], [1]) as Pickled;
    const parameter = global('torch._utils._rebuild_parameter');
    expect(all.call(parameter, [own, true, new Dictionary()])).toBe(own);
    expect(thrown(() => all.call(parameter, [1]))).toEqual(code('header-invalid'));
    expect(thrown(() => all.call(parameter, own))).toEqual(code('header-invalid'));
    expect(thrown(() => all.call(global('torch.FloatStorage'), []))).toEqual(code('header-invalid'));
    expect(thrown(() => all.call('collections.OrderedDict', []))).toEqual(code('header-invalid'));
  });

  it('the older function makes the same tensor', () => {
    const { all, global, storage, tensor } = makers();
    const kept = storage(6);
    const old = all.call(global('torch._utils._rebuild_tensor'), [kept, 0, [2, 3], [3, 1]] as unknown as Pickled);
    expect(old).toEqual(tensor(kept, 0, [2, 3], [3, 1]));
  });

  it.each<[string, unknown]>([
    ['no list', 'storage'],
    ['another tag', ['module', 'KIND', '0', 'cpu', 1]],
    ['no class', ['storage', 'torch.FloatStorage', '0', 'cpu', 1]],
    ['a key that is no text', ['storage', 'KIND', 0, 'cpu', 1]],
    ['a part of an element', ['storage', 'KIND', '0', 'cpu', 1.5]],
    ['fewer than none', ['storage', 'KIND', '0', 'cpu', -1]],
    ['a view', ['storage', 'KIND', '0', 'cpu', 1, ['1', 0, 1]]],
    ['2^53 bytes', ['storage', 'KIND', '0', 'cpu', 2 ** 51]],
  ])('a storage by %s is refused', (_, id) => {
    const { all, global } = makers();
    const kind = global('torch.FloatStorage');
    const said = Array.isArray(id) ? id.map((part) => (part === 'KIND' ? kind : part)) : id;
    expect(thrown(() => all.persistent(said as Pickled))).toEqual(code('header-invalid'));
    expect(all.storages.size).toBe(0);
  });

  it('a storage that is named twice is as large as it is where it is largest, and one without a view is whole', () => {
    const { all, global, storage } = makers();
    for (const elements of [3, 7, 5]) storage(elements);
    expect(all.storages.get('0')?.elements).toBe(7);
    storage(2, 'DoubleStorage');
    expect(all.storages.get('0')?.bytes).toBe(28);
    const whole = ['storage', global('torch.FloatStorage'), '1', 'cpu', 0, null];
    expect(all.persistent(whole as Pickled)).toMatchObject({ key: '1', elements: 0 });
    expect([...all.storages.keys()]).toEqual(['0', '1']);
  });
});

const sizes = fc.array(fc.nat(4), { maxLength: 4 });
const strided = sizes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    strides: fc.array(fc.nat(9), { minLength: shape.length, maxLength: shape.length }),
    offset: fc.nat(5),
    elements: fc.nat(60),
  }),
);
const product = (list: readonly number[]) => list.reduce((all, one) => all * one, 1);

describe('a tensor of a file', () => {
  it('lies inside its storage with every element, and has no more elements than that; else it is refused', () => {
    let [taken, refused] = [0, 0];
    fc.assert(
      fc.property(strided, ({ shape, strides, offset, elements }) => {
        const { storage, tensor } = makers();
        const last = offset + shape.reduce((sum, size, i) => sum + (size - 1) * strides[i], 0);
        const isEmpty = shape.includes(0);
        const fits = offset <= elements && (isEmpty || (last < elements && product(shape) <= elements));
        if (!fits) {
          refused++;
          expect(thrown(() => tensor(storage(elements), offset, shape, strides))).toEqual(code('tensor-invalid'));
          return;
        }
        taken++;
        const found = tensor(storage(elements), offset, shape, strides) as StoredTensor;
        expect(found).toMatchObject({ offset, shape, strides, elements: product(shape) });
        let [step, follows] = [1, true];
        for (const [i, size] of [...shape.entries()].reverse()) {
          if (size !== 1 && strides[i] !== step) follows = false;
          step *= size;
        }
        expect(found.isContiguous).toBe(follows);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(40);
  });

  it.each<[string, (storage: Storage) => unknown[]]>([
    ['no storage', () => [1, 0, [1], [1]]],
    ['an offset that is no count', (storage) => [storage, -1, [1], [1]]],
    ['an offset that is a text', (storage) => [storage, '0', [1], [1]]],
    ['a shape that is no list', (storage) => [storage, 0, 1, [1]]],
    ['a size that is no count', (storage) => [storage, 0, [1.5], [1]]],
    ['a stride that is no count', (storage) => [storage, 0, [1], [-1]]],
    ['strides that are too few', (storage) => [storage, 0, [1, 1], [1]]],
    ['65 dimensions', (storage) => [storage, 0, Array(65).fill(1), Array(65).fill(1)]],
  ])('of %s is refused', (_, args) => {
    const { storage, tensor } = makers();
    expect(thrown(() => tensor(...args(storage(9))))).toEqual(code('tensor-invalid'));
  });

  it('may have 64 dimensions', () => {
    const { storage, tensor } = makers();
    expect(tensor(storage(1), 0, Array(64).fill(1), Array(64).fill(1))).toMatchObject({ elements: 1 });
  });

  it('has the place of another where both are the same view of the same storage, and only there', () => {
    const { storage } = makers();
    const base = () => [storage(9), 1, [2, 3], [3, 1]] as const;
    const place = (...args: readonly unknown[]) => new StoredTensor(...(args as ReturnType<typeof base>)).place;
    const [one, offset, shape, strides] = base();
    expect(place(...base())).toBe(place(one, offset, [...shape], [...strides]));
    for (const other of [
      [new Storage('1', 'F32', 9), offset, shape, strides],
      [new Storage('0', 'I32', 9), offset, shape, strides],
      [one, 2, shape, strides],
      [one, offset, [3, 2], strides],
      [one, offset, shape, [1, 3]],
    ]) {
      expect(place(...other)).not.toBe(place(...base()));
    }
  });
});
