/** The devices that gpu.js can use in Node, and what is missing where one does not work. */
import type { GpuLevel } from './device';
import type { GpuJs } from './gpujs';
import { vulkanMissing } from './vulkan.node';

/** What `auto` tries, best first. */
export const AUTO_LEVELS: readonly GpuLevel[] = ['webgpu', 'headlessgl'];

/**
 * A real import(). The packages it loads may be ES modules, and where this file is compiled to CommonJS a plain import()
 * becomes require(). Bundlers do not see it either, so they do not look for packages that are optional.
 */
const importModule = new Function('name', 'return import(name)') as (name: string) => Promise<unknown>;

interface WebGpu {
  requestAdapter(): Promise<unknown>;
}

/**
 * What is missing for a device, before gpu.js is loaded, with how to get it; null when nothing is. Node has no WebGPU of its
 * own: the package `webgpu` (Dawn) provides it, and gpu.js looks for it at `navigator.gpu`.
 */
export async function missingBeforeLoad(level: GpuLevel): Promise<string | null> {
  if (level === 'webgl2') return 'WebGL 2 exists in browsers only; Node has the levels webgpu and headlessgl';
  if (level !== 'webgpu') return null;
  const current = (globalThis.navigator as { gpu?: WebGpu } | undefined)?.gpu;
  let gpu: WebGpu;
  try {
    gpu = current ?? ((await importModule('webgpu')) as { create(options: string[]): WebGpu }).create([]);
  } catch (error) {
    return packageMissing('webgpu', error, 'npm install webgpu');
  }
  if (current === undefined) provideWebGpu(gpu);
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter === null ? adapterMissing() : null;
}

function provideWebGpu(gpu: WebGpu): void {
  if (typeof globalThis.navigator === 'undefined') {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
}

/** Why WebGPU finds no device to compute on. */
function adapterMissing(): string {
  const why = process.platform === 'linux' ? vulkanMissing() : 'the system offers no Metal or Direct3D 12 device';
  return `no WebGPU adapter: ${why}`;
}

/** What is missing for a device, once gpu.js is loaded; null when nothing is. */
export async function missingAfterLoad(level: GpuLevel, gpujs: GpuJs): Promise<string | null> {
  if (level !== 'headlessgl' || gpujs.GPU.isHeadlessGLSupported) return null;
  try {
    await importModule('gl');
  } catch (error) {
    const build =
      'npm install gl (it is compiled: on Debian it needs apt install python3 g++ make pkg-config libxi-dev libxext-dev libgl1-mesa-dev libglu1-mesa-dev)';
    return packageMissing('gl', error, build);
  }
  if (process.platform === 'linux' && !process.env.DISPLAY) {
    return 'headless-gl needs a display and DISPLAY is not set: run the program under xvfb-run (apt install xvfb)';
  }
  return 'the package gl is installed but creates no OpenGL context here (Linux needs an OpenGL driver: apt install libgl1-mesa-dri)';
}

/** Says that a package is not installed, or that it is and does not load. */
function packageMissing(name: string, error: unknown, install: string): string {
  const { code, message } = error as { code?: string; message?: string };
  const isAbsent = /MODULE_NOT_FOUND/.test(code ?? '') && (message ?? '').includes(`'${name}'`);
  if (isAbsent) return `expected the package ${name}, found none: ${install}`;
  return `the package ${name} is installed but does not load (${firstLine(message ?? String(error))}): ${install}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}
