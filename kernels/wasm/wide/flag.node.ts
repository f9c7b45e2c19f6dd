import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';

/** V8 joins neighbouring 128-bit operations of WebAssembly into 256-bit ones. It is a switch of the whole process. */
export const WIDE_FLAG = 'experimental-wasm-revectorize';

/** The first Node in which it is sound. */
const LEAST_NODE = 24;

/** Why this runtime does not have the flag, or null. One that does not know it would print a warning. */
function flagMissing(): string | null {
  const { node, bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) return 'it needs Node';
  if (Number.parseInt(node, 10) < LEAST_NODE) return `it needs Node ${LEAST_NODE} or later, and this is ${node}`;
  return process.arch === 'x64' ? null : `it needs an x86-64 processor, and this is ${process.arch}`;
}

/** Why this runtime cannot compute wide, or null. */
export function wideMissing(): string | null {
  const missing = flagMissing();
  if (missing !== null) return missing;
  if (!hasAvx2()) return 'it needs a processor with AVX2';
  // The probe starts this program again, which must be Node itself and not an application that Node was built into.
  const isNode = process.versions.electron === undefined && /^node(js)?(\.exe)?$/i.test(basename(process.execPath));
  return isNode ? null : `it needs Node, and this is ${process.execPath}`;
}

/** Whether the processor has AVX2. Only Linux tells; elsewhere V8 looks by itself, and does without where there is none. */
function hasAvx2(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return /^flags\s*:.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'latin1'));
  } catch {
    return true; // the system does not let this process read it
  }
}

/** Sets the flag, and says whether that changed it. The tag of V8's code cache depends on every flag. */
function set(on: boolean): boolean {
  const before = cachedDataVersionTag();
  setFlagsFromString(`--${on ? '' : 'no-'}${WIDE_FLAG}`);
  return cachedDataVersionTag() !== before;
}

/** Whether the flag is set, and has an effect. V8 has no way to ask, so it is changed to see whether that changes something. */
export function isWide(): boolean {
  if (flagMissing() !== null || !set(false)) return false;
  set(true);
  return hasAvx2();
}

export function turnWideOn(): void {
  set(true);
}
