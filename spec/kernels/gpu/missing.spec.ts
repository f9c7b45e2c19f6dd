import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { GpuJs } from '../../../kernels/gpu/gpujs';
import { missingAfterLoad, missingBeforeLoad } from '../../../kernels/gpu/platform.browser';

const ROOT = join(__dirname, '../../..');

/** Creates the gpu backend in a process of its own, where ES modules can be imported. Prints the error. */
const PROGRAM = `
const { createBackend } = require('./kernels');
createBackend('gpu', { level: process.argv[1] }).then(
  () => console.log('created'),
  ({ name, code, message }) => { console.log(name, code, message); process.exit(0); },
);
`;

function refusalInNode(level: string, environment: NodeJS.ProcessEnv = {}): string {
  const args = ['-r', 'ts-node/register/transpile-only', '-e', PROGRAM, level];
  const env = { ...process.env, ...environment };
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 100_000, env }).stdout.trim();
}

describe('a gpu that cannot run in Node says what is missing, in one line', () => {
  test('webgl2 is for browsers', () => {
    const line = refusalInNode('webgl2');
    expect(line).toMatch(
      /^KernelError unavailable gpu \(webgl2\): WebGL 2 exists in browsers only.*webgpu and headlessgl$/,
    );
  });
});

const isLinux = process.platform === 'linux';
const title = isLinux ? 'on Linux' : `on Linux: skipped, this is ${process.platform}`;
(isLinux ? describe : describe.skip)(`${title}: what is missing for Vulkan`, () => {
  test('a driver file that is named and not there is named in the error', () => {
    const line = refusalInNode('webgpu', { VK_DRIVER_FILES: '/nowhere/driver.json' });
    // Without the loader no driver is looked for. What follows it is below, in a file system that has one.
    const why = line.includes('the Vulkan loader')
      ? 'the Vulkan loader libvulkan.so.1 is missing (on Debian: apt install libvulkan1)'
      : 'VK_DRIVER_FILES names a file that is not there: /nowhere/driver.json';
    expect(line).toBe(`KernelError unavailable gpu (webgpu): no WebGPU adapter: ${why}`);
  });

  /** What vulkanMissing says in a file system that has only these files. */
  function vulkanMissing(files: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
    const has = (file: string) => files.some((one) => one === file || one.startsWith(`${file}/`));
    const readdirSync = (folder: string) =>
      files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1));
    const readFileSync = () => {
      throw new Error('ENOENT');
    };
    const saved = { ...process.env };
    for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'LD_LIBRARY_PATH']) delete process.env[name];
    Object.assign(process.env, environment);
    jest.doMock('node:fs', () => ({ existsSync: has, readdirSync, readFileSync }));
    try {
      let found = '';
      jest.isolateModules(() => {
        found = require('../../../kernels/gpu/vulkan.node').vulkanMissing();
      });
      expect(found).not.toContain('\n');
      return found;
    } finally {
      process.env = saved;
      jest.dontMock('node:fs');
    }
  }
  const LOADER = '/usr/lib/libvulkan.so.1';
  const DRIVER = '/usr/share/vulkan/icd.d/card_icd.json';

  test('the Vulkan loader', () => {
    expect(vulkanMissing([DRIVER])).toMatch(/loader libvulkan\.so\.1 is missing .*apt install libvulkan1/);
    expect(vulkanMissing(['/opt/lib/libvulkan.so.1'], { LD_LIBRARY_PATH: '/opt/lib' })).not.toMatch(/loader/);
  });

  test('a Vulkan driver', () => {
    expect(vulkanMissing([LOADER])).toMatch(/no Vulkan driver is installed: install .*VK_DRIVER_FILES=/);
  });

  test('a device for the drivers that are there', () => {
    expect(vulkanMissing([LOADER, DRIVER])).toMatch(/drivers \(card_icd\) offer no device.*neither \/dev\/dri nor/);
    expect(vulkanMissing([LOADER, DRIVER, '/dev/dri/card0'])).not.toMatch(/neither/);
  });
});

describe('in a browser the reasons are about browsers', () => {
  const withNavigator = async <T>(navigator: object, secure: boolean, body: () => Promise<T>): Promise<T> => {
    const saved = ['navigator', 'isSecureContext'].map(
      (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
    );
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
    Object.defineProperty(globalThis, 'isSecureContext', { value: secure, configurable: true });
    try {
      return await body();
    } finally {
      for (const [name, descriptor] of saved) {
        if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, descriptor);
      }
    }
  };
  const gpu = (adapter: object | null) => ({ gpu: { requestAdapter: async () => adapter } });
  const library = (isWebGL2Supported: boolean) => ({ GPU: { isWebGL2Supported } }) as GpuJs;

  test.each<[string, object, boolean, RegExp | null]>([
    ['no WebGPU', {}, true, /this browser has no WebGPU/],
    ['no secure page', {}, false, /secure page: https/],
    ['no adapter', gpu(null), true, /offers no WebGPU adapter: its hardware acceleration/],
    ['an adapter', gpu({}), true, null],
  ])('webgpu, with %s', async (_, navigator, secure, reason) => {
    const found = await withNavigator(navigator, secure, () => missingBeforeLoad('webgpu'));
    if (reason === null) expect(found).toBeNull();
    else expect(found).toMatch(reason);
    expect(found ?? '').not.toMatch(/npm|\bapt\b|xvfb|DISPLAY|a browser has it/);
  });

  test('headless-gl is for Node; WebGL 2 may be off', async () => {
    expect(await missingBeforeLoad('headlessgl')).toMatch(/is for Node; a browser has the levels webgpu and webgl2/);
    expect(await missingAfterLoad('webgl2', library(false))).toMatch(/no WebGL 2: its hardware acceleration/);
    expect(await missingAfterLoad('webgl2', library(true))).toBeNull();
  });
});
