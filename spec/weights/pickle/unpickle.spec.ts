import fc from 'fast-check';
import { Dictionary, type Makers, type Pickled, PickleEnded, unpickle } from '../../../weights/pickle/unpickle';

/** A class or a call as these makers write it down. */
const makers: Makers = {
  global: (module, name) => ({ global: `${module}.${name}` }),
  call: (callee, args) => ({ callee, args }),
  persistent: (id) => ({ id }),
};
const run = (bytes: Uint8Array, start = 0) => unpickle(bytes, { file: 'f', makers, start });

/** Whether the bytes end inside a pickle. */
function endsInside(bytes: Uint8Array): boolean {
  try {
    run(bytes);
    return false;
  } catch (error) {
    return error instanceof PickleEnded;
  }
}

const byte = (...values: number[]) => Buffer.from(values);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number) => Buffer.concat([u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32))]);

/** A value, and operations that make it. */
interface Coded {
  readonly value: Pickled;
  readonly code: Buffer;
}
const coded = (value: Pickled, ...parts: Uint8Array[]): Coded => ({ value, code: Buffer.concat(parts) });

/** A whole number in two's complement, with some bytes more than it needs. */
function long(value: bigint, more: number): Coded {
  const bytes: number[] = [];
  for (let rest = value; rest !== 0n && rest !== -1n; rest >>= 8n) bytes.push(Number(BigInt.asUintN(8, rest)));
  const sign = value < 0n ? 0xff : 0;
  while (bytes.length === 0 || (bytes[bytes.length - 1] & 0x80) !== (sign & 0x80)) bytes.push(sign);
  for (let i = 0; i < more; i++) bytes.push(sign);
  const exact = BigInt(Number(value)) === value && Number.isSafeInteger(Number(value));
  return coded(exact ? Number(value) : value, byte(0x8a, bytes.length, ...bytes));
}

const TEXTS: readonly ((text: Buffer) => Buffer)[] = [
  (text) => Buffer.concat([byte(0x55, text.length), text]),
  (text) => Buffer.concat([byte(0x54), u32(text.length), text]),
  (text) => Buffer.concat([byte(0x8c, text.length), text]),
  (text) => Buffer.concat([byte(0x58), u32(text.length), text]),
  (text) => Buffer.concat([byte(0x8d), u64(text.length), text]),
];
const words = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text).toString()); // without half characters
const text = fc
  .tuple(words, fc.nat(TEXTS.length - 1))
  .map(([value, form]) => coded(value, TEXTS[form](Buffer.from(value))));
const i32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const f64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};
const { MIN_SAFE_INTEGER: LEAST, MAX_SAFE_INTEGER: MOST } = Number;
const edge = fc
  .tuple(fc.constantFrom(LEAST, MOST), fc.integer({ min: -2, max: 2 }))
  .map(([a, b]) => BigInt(a) + BigInt(b));
const leaf: fc.Arbitrary<Coded> = fc.oneof(
  fc.constantFrom(coded(null, byte(78)), coded(true, byte(136)), coded(false, byte(137))),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value) => coded(value, byte(74), i32(value))),
  fc.nat(255).map((value) => coded(value, byte(75, value))),
  fc.nat(65535).map((value) => coded(value, byte(77, value & 255, value >> 8))),
  fc.tuple(fc.oneof(fc.bigInt(), edge), fc.nat(3)).map(([value, more]) => long(value, more)),
  fc.double().map((value) => coded(value, byte(71), f64(value))),
  text,
  fc.constantFrom(coded([], byte(93)), coded([], byte(41)), coded(new Dictionary(), byte(125))),
  fc.constant(coded(0, byte(0x8a, 0))),
);

const joined = (items: readonly Coded[]) => Buffer.concat(items.map(({ code }) => code));
const valuesOf = (items: readonly Coded[]) => items.map(({ value }) => value);
function dictionary(pairs: readonly (readonly [Coded, Coded])[]): Dictionary {
  const made = new Dictionary();
  for (const [key, value] of pairs) {
    made.keys.push(key.value);
    made.values.push(value.value);
  }
  return made;
}

const { value: any } = fc.letrec<{ value: Coded; items: Coded[]; pairs: [Coded, Coded][] }>((tie) => ({
  items: fc.array(tie('value'), { maxLength: 4 }),
  pairs: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }),
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('items').map((items) => coded(valuesOf(items), byte(93, 40), joined(items), byte(101))),
    tie('items').map((items) =>
      coded(valuesOf(items), byte(93), ...items.map(({ code }) => Buffer.concat([code, byte(97)]))),
    ),
    tie('items').map((items) => coded(valuesOf(items), byte(40), joined(items), byte(116))),
    tie('items')
      .filter((items) => items.length > 0 && items.length < 4)
      .map((items) => coded(valuesOf(items), joined(items), byte(132 + items.length))),
    tie('pairs').map((pairs) => coded(dictionary(pairs), byte(125, 40), joined(pairs.flat()), byte(117))),
    tie('pairs').map((pairs) =>
      coded(dictionary(pairs), byte(125), ...pairs.map((pair) => Buffer.concat([joined(pair), byte(115)]))),
    ),
    fc.tuple(tie('value'), tie('value')).map(([kept, lost]) => coded(kept.value, kept.code, lost.code, byte(48))),
    fc
      .tuple(tie('value'), fc.nat(255))
      .map(([one, i]) => coded([one.value, one.value], one.code, byte(113, i, 104, i, 0x86))),
    fc
      .tuple(tie('value'), fc.nat(1e9))
      .map(([one, i]) => coded([one.value, one.value], one.code, byte(114), u32(i), byte(106), u32(i), byte(0x86))),
    fc.tuple(words, words).map(([a, b]) => {
      const names = [a, b].map((name) => name.replaceAll('\n', ' '));
      return coded({ global: names.join('.') }, byte(99), Buffer.from(`${names[0]}\n${names[1]}\n`));
    }),
    fc.tuple(text, text).map(([a, b]) => coded({ global: `${a.value}.${b.value}` }, a.code, b.code, byte(147))),
    fc
      .tuple(tie('value'), tie('value'))
      .map(([callee, args]) => coded({ callee: callee.value, args: args.value }, callee.code, args.code, byte(82))),
    tie('value').map(({ value, code }) => coded({ id: value }, code, byte(81))),
    fc
      .tuple(tie('pairs'), tie('value'))
      .map(([pairs, state]) =>
        coded(dictionary(pairs), byte(125, 40), joined(pairs.flat()), byte(117), state.code, byte(98)),
      ),
    fc
      .tuple(tie('value'), fc.uint8Array({ minLength: 8, maxLength: 8 }))
      .map(([one, frame]) => coded(one.value, byte(149), frame, byte(128, 5), one.code)),
  ),
}));

describe('unpickling', () => {
  it('gives the value that any operations of plain data make, and ends behind their stop', () => {
    fc.assert(
      fc.property(
        any,
        fc.uint8Array({ maxLength: 5 }),
        fc.uint8Array({ maxLength: 5 }),
        ({ value, code }, before, after) => {
          const found = run(Buffer.concat([before, code, byte(0x2e), after]), before.length);
          expect(found).toEqual({ value, end: before.length + code.length + 1 });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of a beginning says that it has ended, wherever it is cut', () => {
    fc.assert(
      fc.property(any, ({ code }) => {
        const lengths = Array.from({ length: code.length + 1 }, (_, length) => length);
        expect(lengths.filter((length) => !endsInside(code.subarray(0, length)))).toEqual([]);
      }),
      { numRuns: 25 },
    );
    for (const length of [7, 8, 9, 10, 11, 1e15]) {
      expect(() => run(Buffer.concat([byte(0x8d), u64(length), byte(0x2e)]))).toThrow(PickleEnded);
    }
  });

  it('counts memos by their number: MEMOIZE takes the next place', () => {
    const code = byte(75, 5, 0x94, 75, 6, 0x94, 75, 7, 0x94, 48, 48, 48, 104, 1, 104, 2, 104, 0, 0x87, 0x2e);
    expect(run(code).value).toEqual([6, 7, 5]);
  });

  it.each<[string, number[], RegExp]>([
    ['a stop on nothing', [0x2e], /expected a value, found an empty stack/],
    ['a value from below a mark', [78, 40, 0x2e], /expected a value, found an empty stack/],
    ['a pair from below a mark', [125, 78, 40, 78, 115, 0x2e], /an empty stack/],
    ['a tuple without a mark', [78, 116, 0x2e], /expected a mark on the stack, found none/],
    ['items without a mark', [93, 78, 101, 0x2e], /expected a mark on the stack, found none/],
    ['an item for a number', [75, 1, 78, 97, 0x2e], /expected a list to append to, found 1/],
    ['items for a dict', [125, 40, 78, 101, 0x2e], /expected a list to append to, found a dict/],
    ['a pair for a list', [93, 78, 78, 115, 0x2e], /expected a dict to set pairs in, found \[/],
    ['half a pair', [125, 40, 78, 117, 0x2e], /expected a dict to set pairs in, found a dict/],
    ['a memo that nobody wrote', [104, 3, 0x2e], /expected a value under 3 in the memo, found none/],
    ['a class whose name is a number', [75, 1, 75, 2, 147, 0x2e], /expected the name of a class, found 2/],
    ['a class whose module is a number', [75, 1, 0x8c, 1, 97, 147, 0x2e], /expected the name of a class, found 'a'/],
    ['a class with a number for a name', [0x8c, 1, 97, 75, 2, 147, 0x2e], /expected the name of a class, found 2/],
    ['attributes of a list', [93, 78, 98, 0x2e], /expected attributes of a dict, found attributes of \[/],
    ['text that is not UTF-8', [0x8c, 1, 0xff, 0x2e], /expected text in UTF-8, found other bytes/],
    [
      'an operation of no pickle',
      [78, 7, 0x2e],
      /expected a pickle of plain data and tensors, found operation 0x07 at 1/,
    ],
  ])('refuses %s', (_, code, message) => {
    expect(() => run(byte(...code))).toThrow(message);
    expect(() => run(byte(...code))).toThrow(expect.objectContaining({ code: 'header-invalid' }));
  });

  it('does at most 1,048,576 operations', () => {
    const many = (count: number) => Buffer.concat([Buffer.alloc(count - 1, 78), byte(0x2e)]);
    expect(run(many(1 << 20))).toEqual({ value: null, end: 1 << 20 });
    expect(() => run(many((1 << 20) + 1))).toThrow(/a pickle of at most 1048576 operations, found more/);
  });
});
