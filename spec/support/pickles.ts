/** Files of torch.save, made here: any pickle in any archive. */

export interface ZipOptions {
  readonly method?: number;
  readonly flags?: number;
  /** Writes sizes and places in 64 bits. */
  readonly zip64?: boolean;
}

/** A zip archive with the given entries, stored as they are. */
export function zipped(entries: readonly (readonly [string, Uint8Array])[], options: ZipOptions = {}): Uint8Array {
  const { method = 0, flags = 0, zip64 = false } = options;
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const [name, bytes] of entries) {
    const text = Buffer.from(name);
    const header = at;
    const size = zip64 ? 0xffffffff : bytes.length;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(text.length, 26);
    local.writeUInt16LE(5, 28); // padding, as torch aligns what follows
    for (const part of [local, text, Buffer.alloc(5), bytes]) add(part);
    const extra = zip64 ? Buffer.alloc(28) : Buffer.alloc(0);
    if (zip64) {
      extra.writeUInt16LE(1);
      extra.writeUInt16LE(24, 2);
      for (const [i, value] of [bytes.length, bytes.length, header].entries()) {
        extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
      }
    }
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(size, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(text.length, 28);
    entry.writeUInt16LE(extra.length, 30);
    entry.writeUInt32LE(zip64 ? 0xffffffff : header, 42);
    central.push(entry, text, extra);
  }
  const start = at;
  for (const part of central) add(part);
  for (const part of endOf({ entries: entries.length, start, size: at - start, zip64 })) add(part);
  return Buffer.concat(parts);
}

/** The records at the end of an archive. */
function endOf(list: { entries: number; start: number; size: number; zip64: boolean }): Buffer[] {
  const { entries, start, size, zip64 } = list;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(zip64 ? 0xffff : entries, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : size, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : start, 16);
  if (!zip64) return [end];
  const record = Buffer.alloc(76);
  record.writeUInt32LE(0x06064b50);
  const values: [place: number, value: number][] = [
    [32, entries],
    [40, size],
    [48, start],
    [64, start + size],
  ];
  for (const [place, value] of values) record.writeBigUInt64LE(BigInt(value), place);
  record.writeUInt32LE(0x07064b50, 56);
  return [record, end];
}

/** Operations of a pickle, in the order given. Texts are names of classes, as `os.system`. */
export const op = {
  proto: Buffer.from([0x80, 2]),
  stop: Buffer.from('.'),
  mark: Buffer.from('('),
  dict: Buffer.from('}'),
  emptyTuple: Buffer.from(')'),
  tuple: Buffer.from('t'),
  setItems: Buffer.from('u'),
  reduce: Buffer.from('R'),
  build: Buffer.from('b'),
  persistent: Buffer.from('Q'),
  global: (name: string) => Buffer.from(`c${name.slice(0, name.lastIndexOf('.'))}\n${name.split('.').at(-1)}\n`),
  text: (text: string) => {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  whole: (value: number) => {
    const bytes = Buffer.alloc(5, 'J');
    bytes.writeInt32LE(value, 1);
    return bytes;
  },
};

const wholes = (values: readonly number[]) => [op.mark, ...values.map(op.whole), op.tuple];

/** Operations that make one tensor, a view of a storage of float32. */
export function tensorOf(view: {
  readonly key?: string;
  readonly elements: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}): Buffer[] {
  const { key = '0', elements, offset = 0, shape, strides } = view;
  return [
    op.global('torch._utils._rebuild_tensor_v2'),
    op.mark,
    op.mark,
    op.text('storage'),
    op.global('torch.FloatStorage'),
    op.text(key),
    op.text('cpu'),
    op.whole(elements),
    op.tuple,
    op.persistent,
    op.whole(offset),
    ...wholes(shape),
    ...wholes(strides),
    Buffer.from([0x89]),
    op.global('collections.OrderedDict'),
    op.emptyTuple,
    op.reduce,
    op.tuple,
    op.reduce,
  ];
}

/** A state dict with one tensor, or with any other value, under the name `weight`. */
export const stateDict = (value: readonly Uint8Array[]) =>
  Buffer.concat([op.proto, op.dict, op.mark, op.text('weight'), ...value, op.setItems, op.stop]);

/** A file of torch.save with one storage of 12 float32 values: 0, 1, 2, … */
export function torchFile(pickle: Uint8Array, options: ZipOptions = {}): Uint8Array {
  const values = new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => i).buffer);
  return zipped(
    [
      ['model/data.pkl', pickle],
      ['model/data/0', values],
      ['model/version', Buffer.from('3\n')],
    ],
    options,
  );
}
