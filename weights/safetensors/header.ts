import { WeightsError } from '../errors';
import type { ByteSource, SafetensorsType, TensorInfo } from '../types';
import { type HeaderValue, scanHeader } from './json';

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

const MAX_HEADER = 100_000_000;

export interface SafetensorsIndex {
  readonly tensors: ReadonlyMap<string, TensorInfo & { readonly begin: number }>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads what a safetensors file holds, and nothing else of it. Each tensor's `begin` is its absolute offset in the file.
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
    throw bad(file, 'a header in UTF-8', 'bytes that are not');
  }
  return parseIndex(text, file, source.size - 8 - size, 8 + size);
}

function parseIndex(text: string, file: string, dataBytes: number, dataStart: number): SafetensorsIndex {
  const header = scanHeader(text, file);
  if (!(header instanceof Map)) throw bad(file, 'a header that is an object', typeof header);
  const metadata: Record<string, string> = {};
  const entries: (TensorInfo & { begin: number; end: number })[] = [];
  for (const [name, value] of header) {
    if (name === '__metadata__') Object.assign(metadata, parseMetadata(value, file));
    else entries.push(parseTensor(name, value, file));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== next) throw badTensor(file, name, `data that begins at ${next} (no holes, no overlaps)`, `${begin}`);
    next = end;
  }
  if (next !== dataBytes) throw bad(file, `data that ends with the file (${dataBytes} bytes)`, `${next} bytes`);
  const tensors = new Map<string, TensorInfo & { begin: number }>();
  for (const { end: _, ...info } of entries) tensors.set(info.name, { ...info, begin: dataStart + info.begin });
  return { tensors, metadata };
}

function parseMetadata(value: HeaderValue, file: string): Record<string, string> {
  if (!(value instanceof Map)) throw bad(file, '__metadata__ to be an object', typeof value);
  const metadata: Record<string, string> = {};
  for (const [key, text] of value) {
    if (typeof text !== 'string') throw bad(file, `__metadata__.${key} to be a string`, typeof text);
    metadata[key] = text;
  }
  return metadata;
}

function parseTensor(name: string, value: HeaderValue, file: string): TensorInfo & { begin: number; end: number } {
  if (!(value instanceof Map)) throw badTensor(file, name, 'an object', typeof value);
  for (const key of value.keys()) {
    if (!['dtype', 'shape', 'data_offsets'].includes(key)) {
      throw badTensor(file, name, 'only dtype, shape and data_offsets', JSON.stringify(key));
    }
  }
  const type = value.get('dtype');
  if (typeof type !== 'string' || !Object.hasOwn(BITS, type))
    throw badTensor(file, name, 'a known dtype', String(type));
  const shape = integers(value.get('shape'), file, name, 'shape');
  const offsets = integers(value.get('data_offsets'), file, name, 'data_offsets');
  if (offsets.length !== 2) throw badTensor(file, name, 'two data_offsets', `${offsets.length}`);
  const [begin, end] = offsets;
  if (end < begin) throw badTensor(file, name, 'data_offsets in order', `[${begin}, ${end}]`);
  const bytes = byteSize(type as SafetensorsType, shape, file, name);
  if (end - begin !== bytes) throw badTensor(file, name, `${bytes} bytes (${type} [${shape}])`, `${end - begin}`);
  return { name, type: type as SafetensorsType, shape, bytes, file, begin, end };
}

function integers(value: HeaderValue | undefined, file: string, name: string, field: string): number[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value as number[];
  throw badTensor(file, name, `${field} to be a list of whole numbers`, value === undefined ? 'none' : typeof value);
}

/** Checked product of the shape in bytes; sub-byte types must fill whole bytes. */
export function byteSize(type: SafetensorsType, shape: readonly number[], file: string, name: string): number {
  const bits = shape.reduce((product, size) => product * BigInt(size), BigInt(BITS[type]));
  if (bits % 8n !== 0n) throw badTensor(file, name, 'whole bytes', `${bits} bits`);
  const bytes = bits / 8n;
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw badTensor(file, name, 'a size below 2^53 bytes', `${bytes}`);
  return Number(bytes);
}

function bad(file: string, expected: string, found: string): WeightsError {
  return new WeightsError('header-invalid', `${file}: expected ${expected}, found ${found}`);
}

function badTensor(file: string, name: string, expected: string, found: string): WeightsError {
  return new WeightsError(
    'tensor-invalid',
    `${file}: tensor ${JSON.stringify(name)}: expected ${expected}, found ${found}`,
  );
}
