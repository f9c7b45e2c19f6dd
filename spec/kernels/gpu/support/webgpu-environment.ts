import { existsSync } from 'node:fs';
import { TestEnvironment } from 'jest-environment-node';

/**
 * A real import(), which neither jest's own module loader nor compiled CommonJS has. V8 caches functions by their text,
 * and one that specs made where nothing can be imported would be found again: hence a text of its own.
 */
const importModule = new Function('name', 'return import(name); // jest environment') as (
  name: string,
) => Promise<unknown>;

/** Where Debian's chromium keeps its software Vulkan device. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

/**
 * Jest runs specs where ES modules cannot be imported, and `webgpu` is one: it is loaded out here and handed in as
 * `navigator.gpu`, with `webgpuMissing` saying why there is none.
 */
export default class WebgpuEnvironment extends TestEnvironment {
  readonly #driver = process.env.VK_DRIVER_FILES;

  override async setup(): Promise<void> {
    await super.setup();
    const found = await provide();
    const global = this.global as unknown as Record<string, unknown>;
    global.webgpuMissing = typeof found === 'string' ? found : null;
    if (typeof found === 'string') return;
    const navigator = (global.navigator ?? {}) as object;
    Object.defineProperty(navigator, 'gpu', { value: found, configurable: true });
    if (global.navigator === undefined)
      Object.defineProperty(global, 'navigator', { value: navigator, configurable: true });
  }

  /** Specs that run later in this process, and the commands that they start, see the variable as it was. */
  override async teardown(): Promise<void> {
    if (this.#driver === undefined) delete process.env.VK_DRIVER_FILES;
    await super.teardown();
  }
}

async function provide(): Promise<Gpu | string> {
  if (process.env.VK_DRIVER_FILES === undefined && existsSync(SWIFTSHADER) && !existsSync('/dev/nvidia0')) {
    process.env.VK_DRIVER_FILES = SWIFTSHADER;
  }
  try {
    const { create } = (await importModule('webgpu')) as { create(options: string[]): Gpu };
    const gpu = create([]);
    return (await gpu.requestAdapter()) === null ? 'no WebGPU adapter (see bench/gpu/setup.sh)' : gpu;
  } catch (error) {
    return `the package webgpu does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}
