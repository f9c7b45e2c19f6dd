/** The compiled modules, as bytes. */
import { KernelError } from '../errors';
import type { WasmCode, WasmLevel } from './code';
import { base64 as relaxedCode, memoryFlag as relaxedFlag } from './generated/relaxed';
import { base64 as simdCode, memoryFlag as simdFlag } from './generated/simd';
import { WIDE_CODE } from './wide/code.node';

export type { WasmLevel } from './code';

export const LEVELS: readonly WasmLevel[] = ['simd', 'relaxed-simd'];

/** The code is read when it is needed: the explorer unpacks it after this file has run. */
const NARROW: WasmCode = {
  simd: {
    get base64() {
      return simdCode;
    },
    memoryFlag: simdFlag,
  },
  'relaxed-simd': {
    get base64() {
      return relaxedCode;
    },
    memoryFlag: relaxedFlag,
  },
};

/**
 * The bytes of a module that declares its imported memory shared or not.
 *
 * @param wide - whether it is the module for runtimes that join pairs of 128-bit operations; pages have none
 * @throws KernelError `unavailable` where there is no module for that
 */
export function bytesOf(level: WasmLevel, shared: boolean, wide = false): Uint8Array<ArrayBuffer> {
  const code = wide ? WIDE_CODE : NARROW;
  if (code === null)
    throw new KernelError('unavailable', 'wasm: expected no wide arithmetic in a page, found it asked for');
  const { base64, memoryFlag } = code[level];
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  bytes[memoryFlag] = shared ? 3 : 1; // the memory has a maximum; it is shared or not
  return bytes;
}
