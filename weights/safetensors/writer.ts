import { WeightsError } from '../errors';
import type { SafetensorsType } from '../types';
import { byteSize } from './header';
import { LONE_SURROGATE } from './scan';

/** What a file's header says of a tensor, apart from its place. */
export interface TensorFormat {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
}

/** A tensor in memory. */
export interface TensorData extends TensorFormat {
  /** Little-endian, row-major; as long as type and shape say. */
  readonly data: Uint8Array;
}

/** The header is padded with spaces to a multiple of eight bytes, so that values of every type are aligned in the file. */
const ALIGNMENT = 8;

/**
 * The first bytes of a safetensors file: the length of its header and the header. The tensors' bytes follow in the order given,
 * without gaps.
 *
 * @throws WeightsError `tensor-invalid` when a tensor has a size that cannot be, or a name that a reader would refuse
 */
export function safetensorsHeader(
  tensors: Iterable<readonly [name: string, format: TensorFormat]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(metadata)) checkText(`__metadata__.${key}`, key, value);
  if (Object.keys(metadata).length > 0) parts.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let offset = 0;
  for (const [name, { type, shape }] of tensors) {
    if (name === '__metadata__') {
      throw new WeightsError('tensor-invalid', `tensor ${name}: expected a name that is not reserved, found ${name}`);
    }
    checkText(`tensor ${name}`, name);
    const end = offset + byteSize(type, shape, 'tensor to write', name);
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype: type, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const header = new TextEncoder().encode(`{${parts.join(',')}}`);
  const padded = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(header, 8);
  return bytes;
}

/**
 * One safetensors file, with the tensors in the order given.
 *
 * @throws WeightsError `tensor-invalid` when a tensor's bytes do not fit its type and shape, or its name is reserved
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header = safetensorsHeader(tensors, metadata);
  let size = header.length;
  for (const [name, tensor] of tensors) {
    checkBytes(name, tensor, tensor.data.byteLength);
    size += tensor.data.byteLength;
  }
  const file = new Uint8Array(size);
  file.set(header);
  let at = header.length;
  for (const { data } of tensors.values()) {
    file.set(data, at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Refuses bytes that do not fit a tensor's type and shape.
 *
 * @throws WeightsError `tensor-invalid`
 */
export function checkBytes(name: string, { type, shape }: TensorFormat, found: number): void {
  const bytes = byteSize(type, shape, 'tensor to write', name);
  if (found === bytes) return;
  const expected = `${bytes} bytes (${type} [${shape}])`;
  throw new WeightsError('tensor-invalid', `tensor ${JSON.stringify(name)}: expected ${expected}, found ${found}`);
}

/** Refuses text that a strict reader would not read back. */
function checkText(what: string, key: string, value = ''): void {
  if (key === '__proto__') {
    throw new WeightsError('tensor-invalid', `${what}: expected a name that is not reserved, found ${key}`);
  }
  if (LONE_SURROGATE.test(key) || LONE_SURROGATE.test(value)) {
    throw new WeightsError('tensor-invalid', `${what}: expected whole characters, found half of one`);
  }
}
