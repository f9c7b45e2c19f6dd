import type { WasmCode } from '../code';
import { base64 as relaxedCode, memoryFlag as relaxedFlag } from '../generated/relaxedWide';
import { base64 as simdCode, memoryFlag as simdFlag } from '../generated/simdWide';

/** The modules whose loops are arranged for 256 bits. */
export const WIDE_CODE: WasmCode | null = {
  simd: { base64: simdCode, memoryFlag: simdFlag },
  'relaxed-simd': { base64: relaxedCode, memoryFlag: relaxedFlag },
};
