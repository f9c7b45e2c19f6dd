/** The devices that gpu.js can use in a browser, and what is missing where one does not work. */
import type { GpuLevel } from './device';
import type { GpuJs } from './gpujs';

/** What `auto` tries, best first. */
export const AUTO_LEVELS: readonly GpuLevel[] = ['webgpu', 'webgl2'];

interface WebGpu {
  requestAdapter(): Promise<unknown>;
}

/** What is missing for a device, before gpu.js is loaded, with how to get it; null when nothing is. */
export async function missingBeforeLoad(level: GpuLevel): Promise<string | null> {
  if (level === 'headlessgl') return 'headless-gl is for Node; a browser has the levels webgpu and webgl2';
  if (level !== 'webgpu') return null;
  const gpu = (globalThis.navigator as { gpu?: WebGpu } | undefined)?.gpu;
  if (gpu === undefined) {
    return globalThis.isSecureContext
      ? 'this browser has no WebGPU (Chrome and Edge have it from 113 on, Safari from 26, Firefox from 141 on some systems)'
      : 'WebGPU needs a secure page: https, or localhost';
  }
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter === null ? 'this browser offers no WebGPU adapter: its hardware acceleration may be off' : null;
}

/** What is missing for a device, once gpu.js is loaded; null when nothing is. */
export async function missingAfterLoad(level: GpuLevel, gpujs: GpuJs): Promise<string | null> {
  if (level !== 'webgl2' || gpujs.GPU.isWebGL2Supported) return null;
  return 'this browser offers no WebGL 2: its hardware acceleration may be off';
}
