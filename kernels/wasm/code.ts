/** Feature level of a compiled module. */
export type WasmLevel = 'simd' | 'relaxed-simd';

/** The compiled module of each level, and where in it the byte is that says whether its memory is shared. */
export type WasmCode = Readonly<Record<WasmLevel, { readonly base64: string; readonly memoryFlag: number }>>;
