import fc from 'fast-check';
import type { WeightsError } from '../../../weights';
import { readZipEntries, startOf } from '../../../weights/pickle/zip';
import { bufferSource } from '../../../weights/source';
import type { ByteSource } from '../../../weights/types';
import { type Archive, archive, type Made, numbers } from '../../support/zip-archive';

const FULL_32 = 0xffffffff;

const source = (bytes: Uint8Array): ByteSource => bufferSource('file.bin', new Uint8Array(bytes));
const failure = (made: Promise<unknown>) =>
  made.then(
    () => 'no error',
    (error: WeightsError) => `${error.code}: ${error.message}`,
  );

const some = (letters: string) => fc.subarray([...letters]).map((list) => list.join(''));
const entry: fc.Arbitrary<Made> = fc.record({
  name: fc.string({ unit: 'grapheme', maxLength: 9 }),
  bytes: fc.uint8Array({ maxLength: 40 }),
  extras: fc.array(fc.nat(9), { maxLength: 3 }),
  large: some('sph'),
  comment: fc.nat(9),
  padding: fc.nat(64),
});
/** What an archive says at its end; a comment may hold what begins a record. */
const comment = fc
  .tuple(fc.uint8Array({ maxLength: 30 }), fc.boolean(), fc.uint8Array({ maxLength: 30 }))
  .map(([a, isLike, b]) =>
    Uint8Array.from([...a, ...(isLike ? [0x50, 0x4b, 5, 6, ...new Uint8Array(18).fill(9)] : []), ...b]),
  );
const archives: fc.Arbitrary<Archive> = fc.record({
  before: fc.nat(20),
  entries: fc.uniqueArray(entry, { maxLength: 5, selector: ({ name }) => name }),
  comment,
  zip64: some('cso'),
});
const one = (changes: Partial<Made> = {}): Made => ({
  ...{ name: 'a', bytes: Uint8Array.of(1, 2, 3), extras: [], large: '', comment: 0, padding: 0 },
  ...changes,
});
const of = (entries: readonly Made[], changes: Partial<Archive> = {}): Archive => ({
  ...{ before: 0, entries, comment: new Uint8Array(0), zip64: '' },
  ...changes,
});

/** Changes numbers of an archive's end, or of its list of entries. */
function changed(
  made: Archive,
  changes: readonly (readonly [from: 'end' | 'list', at: number, bytes: number, value: number])[],
) {
  const { bytes, offset, end } = archive(made);
  for (const [from, at, length, value] of changes) {
    numbers([length, value]).copy(bytes, (from === 'end' ? end : offset) + at);
  }
  return bytes;
}

describe('the entries of a zip archive', () => {
  it('are those that were written, each with its bytes, whatever stands around them and in how many bits numbers are', async () => {
    await fc.assert(
      fc.asyncProperty(archives, async (made) => {
        const { bytes, starts } = archive(made);
        const found = await readZipEntries(source(bytes));
        expect([...found.keys()]).toEqual(made.entries.map(({ name }) => name));
        for (const [i, { name, bytes: content }] of made.entries.entries()) {
          const entry = found.get(name);
          if (entry === undefined) throw new Error(name);
          expect([entry.name, entry.size]).toEqual([name, content.length]);
          expect(await startOf(source(bytes), entry)).toBe(starts[i]);
        }
      }),
    );
  });

  it('are found behind the longest comment, also in 64 bits', async () => {
    for (const zip64 of ['', 'o']) {
      const { bytes } = archive(of([one()], { comment: new Uint8Array(0xffff), zip64 }));
      expect([...(await readZipEntries(source(bytes))).keys()]).toEqual(['a']);
    }
  });

  it('are not found in an archive that is cut off at any place, or longer', async () => {
    for (const zip64 of ['', 'cso']) {
      const { bytes } = archive(of([one(), one({ name: 'b' })], { zip64 }));
      for (let length = 0; length < bytes.length; length++) {
        expect([length, await failure(readZipEntries(source(bytes.subarray(0, length))))]).toEqual([
          length,
          expect.stringMatching(
            /^header-invalid: file.bin: expected a zip archive that is whole, found none of its end$/,
          ),
        ]);
      }
      expect(await failure(readZipEntries(source(Buffer.concat([bytes, Buffer.alloc(1)]))))).toMatch(
        /archive that is whole/,
      );
    }
  });

  const two = of([one(), one({ name: 'b' })]);
  const { size, offset, bytes: whole } = archive(two);
  const ENTRY = 46 + 1;
  it.each<[string, Uint8Array, RegExp]>([
    ['a wrong mark of the first', changed(two, [['list', 0, 4, 1]]), /an entry at 0 of the list, found other bytes/],
    ['a wrong mark of the second', changed(two, [['list', ENTRY, 4, 1]]), /an entry at 47 of the list/],
    ['one name twice', archive(of([one(), one()])).bytes, /each entry once, found 'a' twice/],
    ['encryption', changed(two, [['list', 8, 2, 1]]), /entry 'a' to be readable, found it encrypted/],
    [
      'compression',
      changed(two, [['list', ENTRY + 10, 2, 8]]),
      /entry 'b' to be stored as it is, found it compressed \(method 8\)/,
    ],
    ['another size than it has packed', changed(two, [['list', 20, 4, 4]]), /entry 'a' of 3 bytes, found 4/],
    [
      'bytes that reach into the list',
      changed(two, [
        ['list', ENTRY + 20, 4, 5],
        ['list', ENTRY + 24, 4, 5],
      ]),
      /entry 'b' before the list of entries, found 5 bytes at 34/,
    ],
    ['one more than there are', changed(two, [['end', 10, 2, 3]]), /a list of entries that is whole/],
    [
      'a list past the end',
      changed(two, [['end', 12, 4, whole.length - offset + 1]]),
      /a list of entries inside \d+ bytes, found \d+/,
    ],
    [
      'a list that is cut off',
      changed(two, [['end', 12, 4, size - 1]]),
      /a list of entries that is whole, found its end at 93/,
    ],
    [
      'a name that is cut off',
      changed(two, [['list', ENTRY + 28, 2, 2]]),
      /a list of entries that is whole, found its end at 94/,
    ],
    ...[20, 24, 42].map((at): [string, Uint8Array, RegExp] => [
      `64 bits that are not there, at ${at}`,
      changed(two, [['list', at, 4, FULL_32]]),
      /entry 'a' with numbers in 64 bits, found none/,
    ]),
    [
      'fewer numbers in 64 bits than it needs',
      changed(of([one({ large: 's' })]), [['list', 20, 4, FULL_32]]),
      /entry 'a' with numbers in 64 bits, found none/,
    ],
    ['no record in 64 bits', changed(two, [['end', 16, 4, FULL_32]]), /a zip64 record, found none/],
    [
      'nothing but an end in 64 bits',
      Buffer.from(whole.subarray(offset + size)).fill(0xff, 10, 20),
      /a zip64 record, found none/,
    ],
  ])('are refused with %s', async (_, bytes, message) => {
    const found = await failure(readZipEntries(source(bytes)));
    expect(found).toMatch(/^header-invalid: file\.bin: expected /);
    expect(found).toMatch(message);
  });

  it('may reach up to their list, and the list up to the end of the file', async () => {
    const near = of([one({ name: '' })]);
    expect([...(await readZipEntries(source(archive(near).bytes))).values()]).toEqual([
      { name: '', size: 3, header: 0 },
    ]);
    const over = changed(near, [
      ['list', 20, 4, 4],
      ['list', 24, 4, 4],
    ]);
    expect(await failure(readZipEntries(source(over)))).toMatch(/before the list of entries/);
    const long = changed(two, [['end', 12, 4, whole.length - offset]]);
    expect((await readZipEntries(source(long))).size).toBe(2);
    const fewer = changed(two, [['end', 10, 2, 1]]);
    expect([...(await readZipEntries(source(fewer))).keys()]).toEqual(['a']);
  });

  it('have a list of at most 64 MiB, of which no byte is read before', async () => {
    const end = (bytes: number) => numbers([4, 0x06054b50], [6, 0], [2, 1], [4, bytes], [4, 0], [2, 0]);
    for (const [bytes, expected] of [
      [64 << 20, 'asked'],
      [(64 << 20) + 1, 'header-invalid: big: expected a list of entries of at most 67108864 bytes, found 67108865'],
    ] as const) {
      const size = 70 << 20;
      const tail = Buffer.concat([Buffer.alloc(65_555), end(bytes)]);
      const big: ByteSource = {
        ...{ name: 'big', size, dispose: async () => undefined },
        read: async (offset, length) => {
          if (length > 70_000) throw Object.assign(new Error('asked'), { code: 'asked' });
          return tail.subarray(offset - (size - tail.length)).subarray(0, length);
        },
      };
      expect((await failure(readZipEntries(big))).replace(/^asked: /, '')).toBe(expected);
    }
  });

  it('in 64 bits have a record inside the file, with its mark and numbers that are exact', async () => {
    const made = of([one()], { zip64: 'o' });
    const { bytes, end } = archive(made);
    const record = end - 76;
    const change = (at: number, length: number, value: number | bigint) => {
      const copy = Buffer.from(bytes);
      if (typeof value === 'bigint') copy.writeBigUInt64LE(value, at);
      else numbers([length, value]).copy(copy, at);
      return failure(readZipEntries(source(copy)));
    };
    expect(await change(record, 4, 1)).toMatch(/a zip64 record, found other bytes/);
    expect(await change(end - 20, 4, 1)).toMatch(/a zip64 record, found none/);
    expect(await change(end - 12, 8, bytes.length - 56)).toMatch(/a zip64 record, found other bytes/);
    expect(await change(end - 12, 8, bytes.length - 55)).toMatch(/a record inside \d+ bytes, found \d+/);
    expect(await change(end - 12, 8, 2n ** 53n)).toMatch(/a number below 2\^53, found 9007199254740992/);
    expect(await change(end - 12, 8, 2n ** 53n - 1n)).toMatch(/a record inside/);
    for (const place of [32, 40, 48]) expect(await change(record + place, 8, 1e9)).toMatch(/^header-invalid/);
  });
});

describe('the bytes of an entry', () => {
  const { bytes } = archive(of([one({ padding: 5 })]));
  const local = bytes.subarray(0, 30 + 1 + 5 + 3);
  const at = (content: Uint8Array, size: number, header = 0) => startOf(source(content), { name: 'a', header, size });

  it('begin behind its own header, and end with the file or before', async () => {
    expect(await at(local, 3)).toBe(36);
    expect(await at(local, 2)).toBe(36);
    expect(await at(Buffer.concat([Buffer.alloc(7), local]), 3, 7)).toBe(43);
    expect(await failure(at(local, 4))).toMatch(/^header-invalid: .*entry 'a' inside 39 bytes, found 40/);
  });

  it.each([
    [0, /entry 'a' at 0, found other bytes/],
    [8, /entry 'a' at 0, found other bytes/],
  ])('are refused where the header has another value at %i', async (place, message) => {
    const copy = Buffer.from(local);
    copy[place] ^= 1;
    expect(await failure(at(copy, 3))).toMatch(message);
  });
});
