import fc from 'fast-check';
import { type SafetensorsType, WeightsError } from '../../../weights';
import { BITS, readIndex } from '../../../weights/safetensors/header';
import { type TensorData, writeSafetensors } from '../../../weights/safetensors/writer';
import { bufferSource } from '../../../weights/source';

const TYPES = Object.keys(BITS) as SafetensorsType[];
const name = fc
  .string({ unit: 'grapheme', minLength: 0, maxLength: 12 })
  .filter((text) => !/^__(metadata|proto)__$/.test(text));

/** A tensor of any type; sub-byte types get a last dimension that fills whole bytes. */
const tensor = fc
  .record({ type: fc.constantFrom(...TYPES), shape: fc.array(fc.nat(4), { maxLength: 3 }), fill: fc.nat(255) })
  .map(({ type, shape, fill }): TensorData => {
    const whole = BITS[type] % 8 === 0 ? shape : [...shape, 4];
    const bytes = (whole.reduce((product, size) => product * size, 1) * BITS[type]) / 8;
    return { type, shape: whole, data: new Uint8Array(bytes).map((_, i) => (i * 37 + fill) & 255) };
  });
const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 6 }).map((list) => new Map(list));
const metadata = fc
  .dictionary(name, fc.string({ unit: 'grapheme', maxLength: 12 }), { maxKeys: 3, noNullPrototype: true })
  .filter((record) => !Object.hasOwn(record, '__proto__'));

const open = (bytes: Uint8Array) => readIndex(bufferSource('file.safetensors', bytes));

describe('safetensors', () => {
  it('reads back what it wrote: names, types, shapes, bytes, metadata', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (tensors, metadata) => {
        const bytes = writeSafetensors(tensors, metadata);
        const index = await open(bytes);
        expect({ ...index.metadata }).toEqual({ ...metadata });
        expect([...index.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, { type, shape, data }] of tensors) {
          const info = index.tensors.get(name);
          expect(info).toMatchObject({ type, shape, bytes: data.byteLength });
          const begin = info?.begin ?? -1;
          expect(Buffer.from(bytes.subarray(begin, begin + data.byteLength)).equals(Buffer.from(data))).toBe(true);
        }
      }),
    );
  });

  it('gives, for any damaged file, an index or a WeightsError with one of two codes', async () => {
    const damage = fc.oneof(
      fc.record({
        kind: fc.constant('flip' as const),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        value: fc.nat(255),
      }),
      fc.record({
        kind: fc.constant('cut' as const),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        value: fc.nat(255),
      }),
      fc.record({
        kind: fc.constant('insert' as const),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        value: fc.nat(255),
      }),
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(tensors, fc.array(damage, { minLength: 1, maxLength: 4 }), async (tensors, list) => {
        let bytes = [...writeSafetensors(tensors)];
        for (const { kind, at, value } of list) {
          const i = Math.floor(at * bytes.length);
          if (kind === 'cut') bytes = bytes.slice(0, i);
          else bytes.splice(i, kind === 'flip' ? 1 : 0, value);
        }
        try {
          await open(Uint8Array.from(bytes));
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(WeightsError);
          expect(['header-invalid', 'tensor-invalid']).toContain((error as WeightsError).code);
          expect((error as Error).message).toMatch(/expected .*found/s);
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('refuses a header longer than the limit before it reads it', async () => {
    const huge = new Uint8Array(16);
    new DataView(huge.buffer).setBigUint64(0, 2n ** 63n, true);
    await expect(open(huge)).rejects.toThrow(/header of at most 100000000 bytes, found 9223372036854775808/);
  });
});

/** A file with this header and so many bytes of data. */
function file(header: string, data = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const one = (fields: string) => `{"a":{${fields}}}`;
const F32 = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';

describe('the strict rules', () => {
  it.each([
    ['white space around the header', ` \n{"a":{${F32}}} \t\r`, 8],
    ['a scalar', one('"dtype":"F32","shape":[],"data_offsets":[0,4]'), 4],
    ['a dimension of zero', one('"dtype":"F32","shape":[3,0],"data_offsets":[0,0]'), 0],
    ['no tensors', '{}', 0],
    ['metadata alone', '{"__metadata__":{"format":"pt"}}', 0],
    ['sub-byte types that fill bytes', one('"dtype":"F4","shape":[2],"data_offsets":[0,1]'), 1],
    ['null for metadata', '{"__metadata__":null}', 0],
    [
      'unknown fields of a tensor, of any kind',
      one(`${F32},"more":{"a":[1,-2.5e+3,{"b":null}],"c":true,"d":"\\n"}`),
      8,
    ],
    ['an unknown field 100 levels deep', one(`${F32},"more":${'['.repeat(100)}${']'.repeat(100)}`), 8],
    [
      'a zero before a product that would overflow',
      one('"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]'),
      0,
    ],
    ['escapes in names', '{"\\u0061\\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
  ])('accept %s', async (_, header, data) => {
    await expect(open(file(header, data))).resolves.toBeDefined();
  });

  it.each<[string, string, number, RegExp]>([
    ['a duplicate tensor', `{"a":{${F32}},"a":{${F32}}}`, 8, /each key once \('a' is repeated\)/],
    ['a duplicate field', one(`${F32},"dtype":"F32"`), 8, /each key once/],
    ['__proto__', '{"__proto__":{}}', 0, /a key other than __proto__/],
    ['__proto__ spelled with an escape', '{"__pr\\u006fto__":{}}', 0, /a key other than __proto__/],
    ['an exponent', one('"dtype":"F32","shape":[2e0],"data_offsets":[0,8]'), 8, /whole number/],
    ['a fraction', one('"dtype":"F32","shape":[2.0],"data_offsets":[0,8]'), 8, /whole number/],
    ['a negative number', one('"dtype":"F32","shape":[-2],"data_offsets":[0,8]'), 8, /whole number/],
    ['a leading zero', one('"dtype":"F32","shape":[02],"data_offsets":[0,8]'), 8, /found/],
    ['an integer above 2^53', one('"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]'), 8, /below 2\^53/],
    [
      'a product that overflows',
      one('"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]'),
      8,
      /fewer than 2\^64 elements, found a shape of \[4294967296, 4294967296\]/,
    ],
    [
      'a product that overflows before it is multiplied by zero',
      one('"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]'),
      0,
      /fewer than 2\^64 elements/,
    ],
    [
      'a size of 2^53 bytes',
      one('"dtype":"F64","shape":[1125899906842624],"data_offsets":[0,8]'),
      8,
      /a size below 2\^53 bytes, found 9007199254740992/,
    ],
    [
      'a type unknown',
      one('"dtype":"F33","shape":[2],"data_offsets":[0,8]'),
      8,
      /'a': expected a known dtype, found 'F33'/,
    ],
    [
      'a type named after an object’s own',
      one('"dtype":"constructor","shape":[2],"data_offsets":[0,8]'),
      8,
      /known dtype/,
    ],
    ['an unknown field without a value', one(`${F32},"more":`), 8, /expected a value, found '}}'/],
    ['an unknown field with a broken value', one(`${F32},"more":[1,{"a":tru}]`), 8, /expected a value, found 'tru/],
    ['an unknown field with half a number', one(`${F32},"more":1.`), 8, /',' or '}'/],
    ['an unknown field twice', one(`${F32},"more":1,"more":1`), 8, /each key once \('more' is repeated\)/],
    [
      'an unknown field that nests too deep',
      one(`${F32},"more":${'['.repeat(200)}${']'.repeat(200)}`),
      8,
      /128 levels/,
    ],
    ['a field missing', one('"dtype":"F32","shape":[2]'), 8, /data_offsets to be a list of whole numbers, found none/],
    [
      'bytes that do not fit the shape',
      one('"dtype":"F32","shape":[3],"data_offsets":[0,8]'),
      8,
      /expected 12 bytes .* found 8/,
    ],
    ['offsets in the wrong order', one('"dtype":"F32","shape":[2],"data_offsets":[8,0]'), 8, /in order/],
    ['a hole at the start', one('"dtype":"F32","shape":[2],"data_offsets":[4,12]'), 12, /begins at 0/],
    ['an overlap', `{"a":{${F32}},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12, /begins at 8/],
    ['bytes after the last tensor', one(F32), 9, /ends with the file \(9 bytes\), found 8/],
    ['too few bytes', one(F32), 7, /ends with the file \(7 bytes\), found 8/],
    ['half a byte', one('"dtype":"F4","shape":[3],"data_offsets":[0,1]'), 1, /whole bytes, found 12 bits/],
    ['metadata that is not text', '{"__metadata__":{"a":1}}', 0, /__metadata__.'a' to be a string/],
    ['null', '{"a":null}', 0, /tensor 'a' to be an object, found 'null}'/],
    ['a list for a header', '[]', 0, /header that is an object/],
    ['something after the header', '{} x', 0, /end of header/],
    ['an open string', '{"a', 0, /a closing quote/],
    ['a control character in a name', '{"a\n":1}', 0, /a valid string/],
    ['half a character', '{"\\ud800":1}', 0, /a string without half characters/],
    ['deep nesting', '['.repeat(5_000_000), 0, /header that is an object/],
    ['deep nesting in a tensor', `{"a":{"b":${'['.repeat(5_000_000)}`, 0, /at most 128 levels/],
  ])('refuse %s', async (_, header, data, message) => {
    const opened = open(file(header, data));
    await expect(opened).rejects.toBeInstanceOf(WeightsError);
    await expect(open(file(header, data))).rejects.toThrow(message);
  });

  it('cost time in proportion to the header: a shape of 1,000,000 numbers, and 100,000 empty tensors', async () => {
    const ones = `"dtype":"U8","shape":[${'1,'.repeat(999_999)}1],"data_offsets":[0,1]`;
    expect((await open(file(one(ones), 1))).tensors.get('a')?.shape).toHaveLength(1_000_000);
    const large = `"dtype":"U8","shape":[${'9007199254740991,'.repeat(300_000)}1],"data_offsets":[0,1]`;
    await expect(open(file(one(large), 1))).rejects.toThrow(/fewer than 2\^64 elements, found a shape of \[.{0,120}$/);
    const empty = (count: number) => {
      const tensors = Array.from(
        { length: count },
        (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`,
      );
      return open(file(`{${tensors.join(',')}}`));
    };
    expect((await empty(100_000)).tensors.size).toBe(100_000);
    await expect(empty(131_073)).rejects.toThrow(/at most 131072 tensors/);
  });

  it('quote at most a line of what a file holds, and no control character of it', async () => {
    const long = 'x'.repeat(1_000_000);
    for (const header of [
      one(`"dtype":"${long}","shape":[2],"data_offsets":[0,8]`),
      `{"${long}":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`,
      `{"a\\u001b[31m":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`,
      `{"${long}":{},"${long}":{}}`,
      `{"__metadata__":{"${long}":1}}`,
    ]) {
      const { message } = await open(file(header, 8)).then(
        () => new Error('accepted'),
        (error: Error) => error,
      );
      expect(message).toMatch(/expected/);
      expect(message.length).toBeLessThan(300);
      expect(message).not.toContain('\u001b');
    }
  });

  it('refuse a header that is not UTF-8, one longer than the file, and a file too short for a length', async () => {
    const bad = file('{"a":1}');
    bad[10] = 0xff;
    await expect(open(bad)).rejects.toThrow(/header in UTF-8/);
    const long = file('{}');
    long[0] = 200;
    await expect(open(long)).rejects.toThrow(/header inside the file \(10 bytes\), found 208 bytes/);
    await expect(open(new Uint8Array(7))).rejects.toThrow(/at least 8 bytes, found 7/);
  });

  it('refuse to write bytes that do not fit their shape, and reserved names', () => {
    const data = new Uint8Array(3);
    expect(() => writeSafetensors(new Map([['a', { type: 'F32', shape: [1], data }]]))).toThrow(
      /expected 4 bytes .* found 3/,
    );
    const named = new Map([['__metadata__', { type: 'U8' as const, shape: [3], data }]]);
    expect(() => writeSafetensors(named)).toThrow(/not reserved/);
    for (const [key, message] of [
      ['__proto__', /not reserved/],
      ['a\ud800', /whole characters/],
    ] as const) {
      const tensors = new Map([[key as string, { type: 'U8' as const, shape: [3], data }]]);
      expect(() => writeSafetensors(tensors)).toThrow(message);
      expect(() => writeSafetensors(new Map(), Object.fromEntries([[key, 'x']]))).toThrow(message);
    }
  });
});
