import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const LOADER = 'libvulkan.so.1';

/** A software driver that WebGPU accepts, for a machine without a GPU. */
const SOFTWARE =
  "a software driver is in Debian's chromium: VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json (slow)";

/** Why Vulkan, on which WebGPU runs on Linux, offers no device here, with how to get one. */
export function vulkanMissing(): string {
  if (!hasLoader()) return `the Vulkan loader ${LOADER} is missing (on Debian: apt install libvulkan1)`;
  const { files, missing } = driverFiles();
  if (missing.length > 0) return `VK_DRIVER_FILES names a file that is not there: ${missing.join(', ')}`;
  if (files.length === 0) return `no Vulkan driver is installed: install the driver of your GPU; ${SOFTWARE}`;
  const names = files.map((file) => path.basename(file, '.json')).join(', ');
  const container =
    existsSync('/dev/dri') || existsSync('/dev/nvidia0') ? '' : ', and there is neither /dev/dri nor /dev/nvidia0';
  return `the Vulkan drivers (${names}) offer no device that WebGPU accepts${container}; ${SOFTWARE}`;
}

function hasLoader(): boolean {
  const folders = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib'];
  const named = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  if ([...named, ...folders].some((folder) => existsSync(path.join(folder, LOADER)))) return true;
  try {
    return readFileSync('/etc/ld.so.cache', 'latin1').includes(LOADER);
  } catch {
    return false;
  }
}

/** The descriptions of drivers that the loader reads: those that the environment names, or those of the usual folders. */
function driverFiles(): { files: string[]; missing: string[] } {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named !== undefined) {
    const all = named.split(':').filter((file) => file !== '');
    return { files: all.filter((file) => existsSync(file)), missing: all.filter((file) => !existsSync(file)) };
  }
  const data = process.env.XDG_DATA_HOME ?? path.join(homedir(), '.local/share');
  const roots = ['/etc', '/usr/local/share', '/usr/share', '/usr/local/etc', data];
  const files = roots.flatMap((root) => {
    const folder = path.join(root, 'vulkan/icd.d');
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.filter((name) => name.endsWith('.json')).map((name) => path.join(folder, name));
  });
  return { files, missing: [] };
}
