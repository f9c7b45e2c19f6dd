/** Archives that keep to APPNOTE in every way that it allows, made here. */

/** One entry as an archive may hold it. Fields in 64 bits are named by their letters: s(ize), p(acked), h(eader). */
export interface Made {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Other extra fields before the one of 64 bits, each of so many bytes. */
  readonly extras: readonly number[];
  readonly large: string;
  readonly comment: number;
  /** Padding between the entry's own header and its bytes. */
  readonly padding: number;
}

export interface Archive {
  /** What stands before the first entry. */
  readonly before: number;
  readonly entries: readonly Made[];
  readonly comment: Uint8Array;
  /** The record at the end is in 64 bits, and which of the values of the short record say so: c(ount), s(ize), o(ffset). */
  readonly zip64: string;
}

/** Numbers in little-endian order, as [bytes, value]. */
export function numbers(...list: readonly (readonly [bytes: number, value: number])[]): Buffer {
  return Buffer.concat(
    list.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      if (bytes === 8) field.writeBigUInt64LE(BigInt(value));
      else if (bytes > 0) field.writeUIntLE(value, 0, Math.min(6, bytes));
      return field;
    }),
  );
}

const [FULL_16, FULL_32] = [0xffff, 0xffffffff];

/** The bytes of an archive (APPNOTE 4.3). Fields that nobody reads are full of ones. */
export function archive({ before, entries, comment, zip64 }: Archive) {
  const parts: Buffer[] = [Buffer.alloc(before, 0x50)];
  const lengthOf = (list: readonly Buffer[]) => list.reduce((sum, part) => sum + part.length, 0);
  const central: Buffer[] = [];
  const starts: number[] = [];
  for (const { name, bytes, extras, large, comment: words, padding } of entries) {
    const header = lengthOf(parts);
    const text = Buffer.from(name);
    const rest = [...[2, 2, 4, 4, 4].map((size) => [size, 2 ** (8 * size) - 1] as const)];
    parts.push(
      numbers([4, 0x04034b50], [2, 20], [2, 0], [2, 0], ...rest, [2, text.length], [2, padding]),
      text,
      Buffer.alloc(padding, 1),
    );
    starts.push(lengthOf(parts));
    parts.push(Buffer.from(bytes));
    const short = (letter: string, value: number) => (large.includes(letter) ? FULL_32 : value);
    const values = [['s', bytes.length] as const, ['p', bytes.length] as const, ['h', header] as const];
    const long = values.filter(([letter]) => large.includes(letter)).map(([, value]) => [8, value] as const);
    const extra = Buffer.concat([
      ...extras.map((size) => Buffer.concat([numbers([2, 7], [2, size]), Buffer.alloc(size, 1)])),
      ...(long.length > 0 ? [numbers([2, 1], [2, 8 * long.length], ...long)] : []),
    ]);
    central.push(
      numbers([4, 0x02014b50], [2, 20], [2, 20], [2, 0x0808], [2, 0], [2, FULL_16], [2, FULL_16], [4, FULL_32]),
      numbers([4, short('p', bytes.length)], [4, short('s', bytes.length)], [2, text.length], [2, extra.length]),
      numbers([2, words], [2, FULL_16], [2, FULL_16], [4, FULL_32], [4, short('h', header)]),
      ...[text, extra, Buffer.alloc(words, 0x50)],
    );
  }
  const offset = lengthOf(parts);
  const size = lengthOf(central);
  parts.push(...central);
  if (zip64 !== '') {
    const record = lengthOf(parts);
    const others = [[4, FULL_32] as const, [4, FULL_32] as const, [8, 0] as const];
    parts.push(
      numbers([4, 0x06064b50], [8, 44], [2, 45], [2, 45], ...others, [8, entries.length], [8, size], [8, offset]),
      numbers([4, 0x07064b50], [4, 0], [8, record], [4, 1]),
    );
  }
  const end = lengthOf(parts);
  const short = (letter: string, value: number, full: number) => (zip64.includes(letter) ? full : value);
  parts.push(
    numbers([4, 0x06054b50], [2, FULL_16], [2, FULL_16], [2, FULL_16], [2, short('c', entries.length, FULL_16)]),
    numbers([4, short('s', size, FULL_32)], [4, short('o', offset, FULL_32)], [2, comment.length]),
    Buffer.from(comment),
  );
  const bytes = Buffer.concat(parts);
  return { bytes, offset, size, end, starts };
}
