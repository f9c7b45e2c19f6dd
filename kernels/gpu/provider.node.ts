/** A real import(): the package is an ES module, and this code is compiled to CommonJS, where import() becomes require(). */
const importModule = new Function('name', 'return import(name)') as (name: string) => Promise<unknown>;

/**
 * Makes `navigator.gpu` be there, as gpu.js looks for it, by the optional package `webgpu` (Dawn); or says why it is not.
 * Node has no WebGPU of its own.
 */
export async function provideWebgpu(): Promise<string | null> {
  if ((globalThis.navigator as { gpu?: unknown } | undefined)?.gpu) return null;
  let create: (options: string[]) => unknown;
  try {
    ({ create } = (await importModule('webgpu')) as { create: typeof create });
  } catch (error) {
    return `expected the package webgpu, which Node needs (npm i webgpu), found none that loads: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof globalThis.navigator === 'undefined') {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: create([]), configurable: true });
  return null;
}
