/**
 * Settles when the compiled modules can be used, with both as base64. The built site carries them compressed: its build replaces this
 * file (`withSmallWasm` of build/plugins.mjs). From the sources they are there at once.
 */
export const unpacked: Promise<readonly string[]> = Promise.resolve([]);
