/** As `program.ts`, with gpu.js in it: a page downloads it only when the gpu backend is to run in a worker. Null in the sources. */
export const PROGRAM: string | null = null;
