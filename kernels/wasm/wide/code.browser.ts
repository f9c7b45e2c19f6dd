import type { WasmCode } from '../code';

/** A page cannot turn 256 bits on, so it does not load the modules for them. */
export const WIDE_CODE: WasmCode | null = null;
