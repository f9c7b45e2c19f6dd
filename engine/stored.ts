import type { StoredType } from '../kernels';
import type { TensorInfo } from '../weights';
import { EngineError } from './errors';

export interface StoredFormat {
  readonly type: StoredType;
  /** Bytes of one value. */
  readonly bytes: number;
}

const FORMATS: Partial<Record<TensorInfo['type'], StoredFormat>> = {
  F32: { type: 'f32', bytes: 4 },
  F16: { type: 'f16', bytes: 2 },
  BF16: { type: 'bf16', bytes: 2 },
  I8: { type: 'i8', bytes: 1 },
};

/**
 * How a tensor's values are stored.
 *
 * @throws EngineError `type-unsupported` for a type that no backend reads
 */
export function storedFormat(info: TensorInfo): StoredFormat {
  const format = FORMATS[info.type];
  if (format) return format;
  throw new EngineError('type-unsupported', `${info.name}: expected type F32, F16, BF16 or I8, found ${info.type}`);
}

/** Little-endian values as float32. Every conversion is exact. */
export function toFloat32(bytes: Uint8Array, type: StoredType): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = { f32: 4, f16: 2, bf16: 2, i8: 1 }[type];
  return Float32Array.from({ length: bytes.byteLength / size }, (_, i) => {
    if (type === 'f32') return view.getFloat32(4 * i, true);
    if (type === 'i8') return view.getInt8(i);
    const half = view.getUint16(2 * i, true);
    return type === 'bf16' ? fromBfloat16(half) : fromFloat16(half);
  });
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bits: number): number {
  word.setUint32(0, bits * 65536);
  return word.getFloat32(0);
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
