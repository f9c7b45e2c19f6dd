import { PROBE_BYTES, PROBE_CODES, type ProbeJob } from '../../../kernels/wasm/wide/job';

/** Runs one job of a module, and gives the memory before and after it. */
export function runOf(module: WebAssembly.Module, job: ProbeJob): { before: Uint8Array; after: Uint8Array } {
  const memory = new WebAssembly.Memory({ initial: PROBE_BYTES >> 16, maximum: 65536 });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const { setThread, run } = instance.exports as Record<string, (...numbers: number[]) => number>;
  const bytes = new Uint8Array(memory.buffer);
  const numbers = new Float32Array(memory.buffer);
  for (let i = 1 << 13; i < numbers.length; i++) numbers[i] = 0.5 + ((i * 7919) % 1000) / 1001;
  for (let at = PROBE_CODES[0]; at < PROBE_CODES[1]; at++) bytes[at] &= 127; // what dots promise for codes of seven bits alone
  const words = new Int32Array(memory.buffer);
  setThread(0, 1, 0);
  let before = bytes;
  for (const one of [...job.before, job]) {
    for (const [at, value] of one.words) words[at >> 2] = value;
    before = bytes.slice();
    run(one.operation, one.chunks, 0);
  }
  return { before, after: bytes };
}
