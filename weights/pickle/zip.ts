import { quoted } from '../../common';
import { WeightsError } from '../errors';
import type { ByteSource } from '../types';

/** One file in an archive. Its bytes stand in the archive as they are. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Offset of the entry's own header, which stands before its bytes. */
  readonly header: number;
}

const [END, END_64, LOCATOR_64, CENTRAL, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];
const [END_BYTES, END_64_BYTES, LOCATOR_BYTES, CENTRAL_BYTES, LOCAL_BYTES] = [22, 56, 20, 46, 30];
const LONGEST_COMMENT = 0xffff;
/** Most bytes of the list of entries: a million tensors. The list is read whole. */
const MOST_DIRECTORY = 64 << 20;
const [FULL_16, FULL_32] = [0xffff, 0xffffffff];

/**
 * Reads the list of entries of a zip archive, and none of their bytes. Entries that are compressed or encrypted are refused by
 * name, so that no entry is larger than its place in the file (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3).
 *
 * @throws WeightsError `header-invalid`
 */
export async function readZipEntries(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, size, count } = await findDirectory(source);
  if (offset + size > source.size)
    throw bad(source, `a list of entries inside ${source.size} bytes`, `${offset + size}`);
  if (size > MOST_DIRECTORY) throw bad(source, `a list of entries of at most ${MOST_DIRECTORY} bytes`, `${size}`);
  const fields = new Fields(source, await source.read(offset, size));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry(source, fields, at);
    if (entries.has(entry.name)) throw bad(source, 'each entry once', `${quoted(entry.name)} twice`);
    if (entry.header + LOCAL_BYTES + entry.size > offset) {
      throw bad(
        source,
        `entry ${quoted(entry.name)} before the list of entries`,
        `${entry.size} bytes at ${entry.header}`,
      );
    }
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

/** Offset of an entry's first byte. Its header repeats the name, and has padding of a length of its own. */
export async function startOf(source: ByteSource, { name, header, size }: ZipEntry): Promise<number> {
  const fields = new Fields(source, await source.read(header, LOCAL_BYTES));
  if (fields.u32(0) !== LOCAL || fields.u16(8) !== 0)
    throw bad(source, `entry ${quoted(name)} at ${header}`, 'other bytes');
  const start = header + LOCAL_BYTES + fields.u16(26) + fields.u16(28);
  if (start + size <= source.size) return start;
  throw bad(source, `entry ${quoted(name)} inside ${source.size} bytes`, `${start + size}`);
}

/** Where the list of entries is, from the record at the end of the file. */
async function findDirectory(source: ByteSource): Promise<{ offset: number; size: number; count: number }> {
  const length = Math.min(source.size, LOCATOR_BYTES + END_BYTES + LONGEST_COMMENT);
  const fields = new Fields(source, await source.read(source.size - length, length));
  let end = length - END_BYTES;
  while (end >= 0 && (fields.u32(end) !== END || fields.u16(end + 20) !== length - end - END_BYTES)) end--;
  if (end < 0) throw bad(source, 'a zip archive that is whole', 'none of its end');
  const [count, size, offset] = [fields.u16(end + 10), fields.u32(end + 12), fields.u32(end + 16)];
  if (count !== FULL_16 && size !== FULL_32 && offset !== FULL_32) return { offset, size, count };
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || fields.u32(locator) !== LOCATOR_64) throw bad(source, 'a zip64 record', 'none');
  const large = new Fields(source, await readInside(source, fields.u64(locator + 8), END_64_BYTES));
  if (large.u32(0) !== END_64) throw bad(source, 'a zip64 record', 'other bytes');
  return { offset: large.u64(48), size: large.u64(40), count: large.u64(32) };
}

async function readInside(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  if (offset + length <= source.size) return source.read(offset, length);
  throw bad(source, `a record inside ${source.size} bytes`, `${offset + length}`);
}

function readEntry(source: ByteSource, fields: Fields, at: number): { entry: ZipEntry; next: number } {
  if (fields.u32(at) !== CENTRAL) throw bad(source, `an entry at ${at} of the list`, 'other bytes');
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => fields.u16(at + place));
  const nameAt = at + CENTRAL_BYTES;
  const name = new TextDecoder().decode(fields.part(nameAt, nameLength));
  const next = nameAt + nameLength + extraLength + commentLength;
  if ((fields.u16(at + 8) & 1) !== 0) throw bad(source, `entry ${quoted(name)} to be readable`, 'it encrypted');
  const method = fields.u16(at + 10);
  if (method !== 0)
    throw bad(source, `entry ${quoted(name)} to be stored as it is`, `it compressed (method ${method})`);
  const extra = { from: nameAt + nameLength, to: nameAt + nameLength + extraLength };
  const short = [24, 20, 42].map((place) => fields.u32(at + place));
  const [size, packed, header] = largeFields(fields, extra, short) ?? [];
  if (size === undefined) throw bad(source, `entry ${quoted(name)} with numbers in 64 bits`, 'none');
  if (packed !== size) throw bad(source, `entry ${quoted(name)} of ${size} bytes`, `${packed}`);
  return { entry: { name, size, header }, next };
}

/** Values that do not fit 32 bits stand in the extra field with id 1, in order. Null where it is missing or too short. */
function largeFields(
  fields: Fields,
  { from, to }: { from: number; to: number },
  values: readonly number[],
): number[] | null {
  let at = from;
  while (at + 4 <= to && fields.u16(at) !== 1) at += 4 + fields.u16(at + 2);
  at += 4;
  const large = values.filter((value) => value === FULL_32).length;
  if (large > 0 && at + 8 * large > to) return null;
  return values.map((value) => {
    if (value !== FULL_32) return value;
    at += 8;
    return fields.u64(at - 8);
  });
}

/** Little-endian numbers in bytes. A place outside of them is an error of the file. */
class Fields {
  private readonly view: DataView;

  constructor(
    private readonly source: ByteSource,
    private readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    this.check(at, 2);
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    this.check(at, 4);
    return this.view.getUint32(at, true);
  }

  u64(at: number): number {
    this.check(at, 8);
    const value = this.view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(this.source, 'a number below 2^53', `${value}`);
    return Number(value);
  }

  part(at: number, length: number): Uint8Array {
    this.check(at, length);
    return this.bytes.subarray(at, at + length);
  }

  private check(at: number, length: number): void {
    if (at + length <= this.bytes.byteLength) return;
    throw bad(this.source, 'a list of entries that is whole', `its end at ${this.bytes.byteLength}`);
  }
}

function bad({ name }: ByteSource, expected: string, found: string): WeightsError {
  return new WeightsError('header-invalid', `${name}: expected ${expected}, found ${found}`);
}
