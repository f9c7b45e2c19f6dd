/** The compiled modules, as bytes. */
import { base64 as relaxedCode, memoryFlag as relaxedFlag } from './generated/relaxed';
import { base64 as simdCode, memoryFlag as simdFlag } from './generated/simd';

export type WasmLevel = 'simd' | 'relaxed-simd';

export const LEVELS: readonly WasmLevel[] = ['simd', 'relaxed-simd'];

/** The compiled module of each level. */
const CODE: Readonly<Record<WasmLevel, { base64: string; memoryFlag: number }>> = {
  simd: { base64: simdCode, memoryFlag: simdFlag },
  'relaxed-simd': { base64: relaxedCode, memoryFlag: relaxedFlag },
};

/** A custom section, which means nothing: an engine keeps the code of equal bytes, and wide code is not that of narrow bytes. */
const WIDE_SECTION = [0, 5, 4, ...[...'wide'].map((letter) => letter.charCodeAt(0))];

/**
 * The bytes of a module that declares its imported memory shared or not.
 *
 * @param wide - whether it will be compiled for wide arithmetic
 */
export function bytesOf(level: WasmLevel, shared: boolean, wide = false): Uint8Array<ArrayBuffer> {
  const { base64, memoryFlag } = CODE[level];
  const text = atob(base64);
  const bytes = new Uint8Array(text.length + (wide ? WIDE_SECTION.length : 0));
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (wide) bytes.set(WIDE_SECTION, text.length);
  bytes[memoryFlag] = shared ? 3 : 1; // the memory has a maximum; it is shared or not
  return bytes;
}
