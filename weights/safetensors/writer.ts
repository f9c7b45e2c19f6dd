import { WeightsError } from '../errors';
import type { SafetensorsType } from '../types';
import { byteSize } from './header';
import { LONE_SURROGATE } from './json';

/** A tensor to be written. */
export interface TensorData {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  /** Little-endian, row-major; as long as type and shape say. */
  readonly data: Uint8Array;
}

/** Item sizes align when the header is a multiple of eight bytes long; the format pads it with spaces. */
const ALIGNMENT = 8;

/**
 * One safetensors file, with the tensors in the order given.
 *
 * @throws WeightsError `tensor-invalid` when a tensor's bytes do not fit its type and shape, or its name is reserved
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(metadata)) checkText(`__metadata__.${key}`, key, value);
  if (Object.keys(metadata).length > 0) parts.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let offset = 0;
  for (const [name, { type, shape, data }] of tensors) {
    if (name === '__metadata__') {
      throw new WeightsError('tensor-invalid', `tensor ${name}: expected a name that is not reserved, found ${name}`);
    }
    checkText(`tensor ${name}`, name);
    const bytes = byteSize(type, shape, 'tensor to write', name);
    if (data.byteLength !== bytes) {
      const expected = `${bytes} bytes (${type} [${shape}])`;
      throw new WeightsError(
        'tensor-invalid',
        `tensor ${JSON.stringify(name)}: expected ${expected}, found ${data.byteLength}`,
      );
    }
    const entry = { dtype: type, shape, data_offsets: [offset, offset + bytes] };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset += bytes;
  }
  const header = new TextEncoder().encode(`{${parts.join(',')}}`);
  const padded = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(8 + padded + offset).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(header, 8);
  let at = 8 + padded;
  for (const { data } of tensors.values()) {
    file.set(data, at);
    at += data.byteLength;
  }
  return file;
}

/** Refuses what a strict reader would not read back. */
function checkText(what: string, key: string, value = ''): void {
  if (key === '__proto__') {
    throw new WeightsError('tensor-invalid', `${what}: expected a name that is not reserved, found ${key}`);
  }
  if (LONE_SURROGATE.test(key) || LONE_SURROGATE.test(value)) {
    throw new WeightsError('tensor-invalid', `${what}: expected whole characters, found half of one`);
  }
}
