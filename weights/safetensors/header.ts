import { quoted } from '../../common';
import { WeightsError } from '../errors';
import type { ByteSource, SafetensorsType, TensorInfo } from '../types';
import { scanHeader, type TensorEntry } from './scan';

/** Bits of one element of each of the format's data types. */
export const BITS: Readonly<Record<SafetensorsType, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
};

export const MAX_HEADER = 100_000_000;

export interface SafetensorsIndex {
  readonly tensors: ReadonlyMap<string, TensorInfo & { readonly begin: number }>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the header of a safetensors file, and nothing else of it. Each tensor's `begin` is its offset from the start of the file.
 *
 * @throws WeightsError `header-invalid` or `tensor-invalid`
 */
export async function readIndex(source: ByteSource): Promise<SafetensorsIndex> {
  const file = source.name;
  if (source.size < 8) throw bad(file, 'at least 8 bytes', `${source.size}`);
  const prefix = await source.read(0, 8);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) throw bad(file, `a header of at most ${MAX_HEADER} bytes`, `${length}`);
  const size = Number(length);
  if (8 + size > source.size) throw bad(file, `a header inside the file (${source.size} bytes)`, `${8 + size} bytes`);
  const bytes = await source.read(8, size);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw bad(file, 'a header in UTF-8', 'bytes that are not UTF-8');
  }
  return parseIndex(text, file, source.size - 8 - size, 8 + size);
}

function parseIndex(text: string, file: string, dataBytes: number, dataStart: number): SafetensorsIndex {
  const header = scanHeader(text, file);
  const entries = header.tensors.map((entry) => checkEntry(entry, file));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== next) throw badTensor(file, name, `data that begins at ${next} (no holes, no overlaps)`, `${begin}`);
    next = end;
  }
  if (next !== dataBytes) throw bad(file, `data that ends with the file (${dataBytes} bytes)`, `${next} bytes`);
  const tensors = new Map<string, TensorInfo & { begin: number }>();
  for (const { end: _, ...info } of entries) tensors.set(info.name, { ...info, begin: dataStart + info.begin });
  return { tensors, metadata: Object.fromEntries(header.metadata) };
}

function checkEntry(entry: TensorEntry, file: string): TensorInfo & { begin: number; end: number } {
  const { name, dtype, shape, offsets } = entry;
  if (dtype === null || !Object.hasOwn(BITS, dtype)) {
    throw badTensor(file, name, 'a known dtype', dtype === null ? 'none' : quoted(dtype));
  }
  if (shape === null) throw badTensor(file, name, 'shape to be a list of whole numbers', 'none');
  if (offsets === null) throw badTensor(file, name, 'data_offsets to be a list of whole numbers', 'none');
  if (offsets.length !== 2) throw badTensor(file, name, 'two data_offsets', `${offsets.length}`);
  const [begin, end] = offsets;
  if (end < begin) throw badTensor(file, name, 'data_offsets in order', `[${begin}, ${end}]`);
  const type = dtype as SafetensorsType;
  const bytes = byteSize(type, shape, file, name);
  if (end - begin !== bytes) throw badTensor(file, name, `${bytes} bytes (${type} ${quoted(shape)})`, `${end - begin}`);
  return { name, type, shape, bytes, file, begin, end };
}

/** The reference implementation counts elements in 64 bits, and refuses a product that does not fit. */
const MOST_ELEMENTS = 2n ** 64n - 1n;

/** Size in bytes of a tensor; types of less than a byte must fill whole bytes. */
export function byteSize(type: SafetensorsType, shape: readonly number[], file: string, name: string): number {
  let elements = 1n;
  for (const size of shape) {
    elements *= BigInt(size);
    if (elements > MOST_ELEMENTS)
      throw badTensor(file, name, 'fewer than 2^64 elements', `a shape of ${quoted(shape)}`);
  }
  const bits = elements * BigInt(BITS[type]);
  if (bits % 8n !== 0n) throw badTensor(file, name, 'whole bytes', `${bits} bits`);
  const bytes = bits / 8n;
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw badTensor(file, name, 'a size below 2^53 bytes', `${bytes}`);
  return Number(bytes);
}

function bad(file: string, expected: string, found: string): WeightsError {
  return new WeightsError('header-invalid', `${file}: expected ${expected}, found ${found}`);
}

function badTensor(file: string, name: string, expected: string, found: string): WeightsError {
  return new WeightsError('tensor-invalid', `${file}: tensor ${quoted(name)}: expected ${expected}, found ${found}`);
}
