import { GPU } from 'gpu.js';
import type { Backend } from '../../../../kernels';
import { createGpuBackend, type GpuLevel, type GpuOptions } from '../../../../kernels/gpu';

/** A device that specs run on when it is there. */
export interface SpecDevice {
  readonly level: GpuLevel;
  create(options?: GpuOptions): Promise<Backend>;
}

/** TANDEM_GPU names the devices that must be there and are tried at length, as bench/gpu/test.sh does. */
const ASKED = (process.env.TANDEM_GPU ?? '').split(',');

/** Why specs that take minutes on a software device are left out, or null when TANDEM_GPU asks for the device. */
export function unasked(level: string, missing: string | null): string | null {
  return ASKED.includes(level) ? missing : (missing ?? `TANDEM_GPU does not name it (bench/gpu/test.sh does)`);
}

/**
 * `describe` for a device: skipped, by a title that says why, where there is none. Where TANDEM_GPU names
 * the device, as CI does, a missing one fails: a skip cannot pass for a run.
 */
export function describeOn(level: GpuLevel, missing: string | null, body: (device: SpecDevice) => void): void {
  const isNeeded = ASKED.includes(level);
  const device = { level, create: (options: GpuOptions = {}) => createGpuBackend({ ...options, level }) };
  if (missing === null) describe(level, () => body(device));
  else if (isNeeded) {
    test(`${level} is there, as TANDEM_GPU asks`, () => {
      throw new Error(missing);
    });
  } else describe.skip(`${level}: skipped, ${missing}`, () => body(device));
}

/** Why there is no headless-gl here, or null. */
export function headlessGlMissing(): string | null {
  return GPU.isHeadlessGLSupported ? null : 'no headless-gl (package gl under a display: bench/gpu/setup.sh)';
}

/** Why there is no WebGPU here, or null: what the jest environment beside this file found. */
export function webgpuMissing(): string | null {
  const missing = (globalThis as { webgpuMissing?: string | null }).webgpuMissing;
  return missing === undefined
    ? 'this spec needs @jest-environment ./spec/kernels/gpu/support/webgpu-environment.ts'
    : missing;
}
