/**
 * Feature levels: which compiled module this engine can run, and runs right.
 *
 * A level is taken when `WebAssembly.validate` accepts it and every relaxed instruction in use gives its known answer,
 * both cold and after the optimising compiler has taken over: Node 20's baseline compiler doubles the int8 dot.
 */
import { KernelError } from '../errors';
import { base64 as relaxedCode, memoryFlag as relaxedFlag } from './generated/relaxed';
import { base64 as simdCode, memoryFlag as simdFlag } from './generated/simd';
import type { Exports } from './instance';

export type WasmLevel = 'simd' | 'relaxed-simd';

/** What the compiled code of each level is made of. */
const CODE: Readonly<Record<WasmLevel, { base64: string; memoryFlag: number }>> = {
  simd: { base64: simdCode, memoryFlag: simdFlag },
  'relaxed-simd': { base64: relaxedCode, memoryFlag: relaxedFlag },
};

/** The module's bytes; its imported memory is declared shared or not. */
function bytesOf(level: WasmLevel, shared: boolean): Uint8Array<ArrayBuffer> {
  const { base64, memoryFlag } = CODE[level];
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  bytes[memoryFlag] = shared ? 3 : 1; // limits: has a maximum, and shared or not
  return bytes;
}

/** Pages of a memory that only a probe looks at. */
const PROBE_MEMORY = { initial: 1, maximum: 65536 };

/** Whether a level runs, and why not. */
export interface LevelFinding {
  readonly level: WasmLevel;
  readonly works: boolean;
  readonly reason: string;
}

const findings = new Map<WasmLevel, Promise<LevelFinding>>();

/** Tries a level once a process. */
export function probeLevel(level: WasmLevel): Promise<LevelFinding> {
  const known = findings.get(level);
  if (known !== undefined) return known;
  const fresh = tryLevel(level);
  findings.set(level, fresh);
  return fresh;
}

async function tryLevel(level: WasmLevel): Promise<LevelFinding> {
  const bytes = bytesOf(level, false);
  if (!WebAssembly.validate(bytes)) return { level, works: false, reason: `${level}: this engine does not accept it` };
  const module = await WebAssembly.compile(bytes);
  const memory = new WebAssembly.Memory({ ...PROBE_MEMORY, maximum: 65536 });
  const { probeMadd, probeDot } = instantiate(module, memory);
  if (level === 'simd') return { level, works: true, reason: 'fixed-width SIMD' };
  const wrong = knownAnswers(probeMadd, 'multiply-add is not fused') ?? knownAnswers(probeDot, 'int8 dot is wrong');
  if (wrong !== null) return { level, works: false, reason: `${level}: ${wrong}` };
  return { level, works: true, reason: 'relaxed SIMD, known answers cold and hot' };
}

/** Rounds of a probe at a time, and for how long they go on: engines optimise after a few milliseconds. */
const HOT_ROUNDS = 20_000;
const HOT_MILLISECONDS = 6;

function knownAnswers(probe: (rounds: number) => number, complaint: string): string | null {
  if (probe(1) !== 1) return `${complaint} (cold)`;
  const end = performance.now() + HOT_MILLISECONDS;
  while (performance.now() < end) if (probe(HOT_ROUNDS) !== 1) return `${complaint} (hot)`;
  return null;
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Exports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
}

/** Compiles the level asked for, or the best that works. Throws `unavailable` with every level's reason. */
export async function compileLevel(
  wanted: WasmLevel | 'auto',
  shared: boolean,
): Promise<{ level: WasmLevel; module: WebAssembly.Module }> {
  if (typeof WebAssembly === 'undefined') {
    throw new KernelError('unavailable', 'wasm: expected an engine with WebAssembly, found none');
  }
  const refused: string[] = [];
  for (const level of wanted === 'auto' ? (['relaxed-simd', 'simd'] as const) : [wanted]) {
    const { works, reason } = await probeLevel(level);
    if (works) return { level, module: await WebAssembly.compile(bytesOf(level, shared)) };
    refused.push(reason);
  }
  throw new KernelError('unavailable', `wasm: expected level ${wanted} to work here, found ${refused.join('; ')}`);
}
