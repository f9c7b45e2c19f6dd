import { q4RowBytes, q4Values, q8RowBytes, q8Values, unpackQ4, unpackQ8 } from '../../common';
import type { StoredType } from '../contract';

/** Types whose rows are values one after the other, with the bytes of one value. */
const VALUE_BYTES = { f32: 4, f16: 2, bf16: 2, i8: 1 } as const;
export type StoredValueType = keyof typeof VALUE_BYTES;

/** Bytes of a stored row of `cols` values; undefined for a type that is none. */
export function storedRowBytes(stored: StoredType, cols: number): number | undefined {
  if (stored === 'q8') return q8RowBytes(cols);
  if (stored === 'q4') return q4RowBytes(cols);
  return VALUE_BYTES[stored] && VALUE_BYTES[stored] * cols;
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The float32 whose upper half is `bits`: exact, NaN payloads included. */
export function bf16ToF32(bits: number): number {
  u32[0] = bits << 16;
  return f32[0];
}

/** Nearest bfloat16, ties to even, overflow to infinity; NaN stays NaN (quiet). */
export function f32ToBf16(value: number): number {
  f32[0] = value;
  const bits = u32[0];
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** IEEE 754 binary16 to float32, exact for every one of the 65,536 patterns (NaN to NaN). */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

let f16Table: Float32Array | null = null;

/** All binary16 values by bit pattern, [65536]: 256 KiB once is cheaper than arithmetic a value. */
function f16Values(): Float32Array {
  if (f16Table === null) {
    f16Table = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits++) f16Table[bits] = f16ToF32(bits);
  }
  return f16Table;
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A copy of `bytes` that starts on an aligned offset and is in the machine's byte order. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  if (LITTLE && bytes.byteOffset % width === 0) return bytes;
  const copy = new Uint8Array(bytes); // `slice` of Node's Buffer would be a view of the same bytes
  if (!LITTLE) for (let i = 0; i + width <= copy.length; i += width) copy.subarray(i, i + width).reverse();
  return copy;
}

/** Little-endian 16-bit words of `bytes`. */
export function words16(bytes: Uint8Array): Uint16Array {
  const source = aligned(bytes, 2);
  return new Uint16Array(source.buffer, source.byteOffset, source.byteLength >> 1);
}

/** Little-endian 32-bit words of `bytes`. */
export function words32(bytes: Uint8Array): Uint32Array {
  const source = aligned(bytes, 4);
  return new Uint32Array(source.buffer, source.byteOffset, source.byteLength >> 2);
}

/** Stored values as float32, exact for every stored type. For f32 this may be a view of `bytes`: do not write to it. */
export function decodeStored(bytes: Uint8Array, stored: StoredValueType): Float32Array {
  if (stored === 'f32') {
    const source = aligned(bytes, 4);
    return new Float32Array(source.buffer, source.byteOffset, source.byteLength >> 2);
  }
  if (stored === 'i8') return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const words = words16(bytes);
  const out = new Float32Array(words.length);
  if (stored === 'bf16') {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < words.length; i++) bits[i] = words[i] << 16;
  } else {
    const table = f16Values();
    for (let i = 0; i < words.length; i++) out[i] = table[words[i]];
  }
  return out;
}

/** Whole stored rows of `cols` values as float32, [rows, cols]; as `decodeStored`. */
export function decodeRows(bytes: Uint8Array, stored: StoredType, cols: number): Float32Array {
  if (stored === 'q8') return q8Values(unpackQ8(bytes, cols), cols);
  if (stored === 'q4') return q4Values(unpackQ4(bytes, cols), cols);
  return decodeStored(bytes, stored);
}
