/**
 * Feature levels: which compiled modules this engine can run, and runs correctly.
 *
 * A level works when `WebAssembly.validate` accepts its module and every relaxed instruction in it gives its known answer, at
 * once and after the optimising compiler has taken over. The baseline compiler of Node 20 gives twice the int8 dot.
 */
import { KernelError } from '../errors';
import type { Exports } from './instance';
import { bytesOf, type WasmLevel } from './modules';

export type { WasmLevel } from './modules';

/** A memory for a probe. */
const PROBE_MEMORY = { initial: 1, maximum: 65536 };

/** Whether a level runs, and why not. */
export interface LevelFinding {
  readonly level: WasmLevel;
  readonly works: boolean;
  readonly reason: string;
}

const findings = new Map<WasmLevel, Promise<LevelFinding>>();

/** Tries a level. The answer is kept for the life of the process. */
export function probeLevel(level: WasmLevel): Promise<LevelFinding> {
  const known = findings.get(level);
  if (known !== undefined) return known;
  const finding = tryLevel(level);
  findings.set(level, finding);
  return finding;
}

async function tryLevel(level: WasmLevel): Promise<LevelFinding> {
  const refused = (reason: string): LevelFinding => ({ level, works: false, reason: `${level}: ${reason}` });
  const bytes = bytesOf(level, false);
  if (!WebAssembly.validate(bytes)) return refused('this engine does not accept it');
  let exports: Exports;
  try {
    const module = await WebAssembly.compile(bytes);
    exports = instantiate(module, new WebAssembly.Memory(PROBE_MEMORY));
  } catch (error) {
    // A content security policy without 'wasm-unsafe-eval' refuses to compile; the message says so.
    return refused(error instanceof Error ? error.message : String(error));
  }
  if (level === 'simd') return { level, works: true, reason: 'fixed-width SIMD' };
  const { probeMadd, probeDot } = exports;
  const wrong = wrongAnswer(probeMadd, 'multiply-add is not fused') ?? wrongAnswer(probeDot, 'int8 dot is wrong');
  if (wrong !== null) return refused(wrong);
  return { level, works: true, reason: 'relaxed SIMD, with its known answers' };
}

/** Rounds of a probe at a time. */
const ROUNDS = 20_000;
/** How long a probe goes on. Engines optimise after a few milliseconds. */
const PROBE_MILLISECONDS = 6;

/** Null when a probe gives its known answers, otherwise the complaint. */
function wrongAnswer(probe: (rounds: number) => number, complaint: string): string | null {
  if (probe(1) !== 1) return `${complaint} (before it is optimised)`;
  const end = performance.now() + PROBE_MILLISECONDS;
  while (performance.now() < end) if (probe(ROUNDS) !== 1) return `${complaint} (after it is optimised)`;
  return null;
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Exports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
}

/**
 * The level that was asked for, or the best that works here.
 *
 * @throws KernelError `unavailable`, with the reason of every level that was tried
 */
export async function chooseLevel(wanted: WasmLevel | 'auto'): Promise<WasmLevel> {
  if (typeof WebAssembly === 'undefined') {
    throw new KernelError('unavailable', 'wasm: expected an engine with WebAssembly, found none');
  }
  const refused: string[] = [];
  for (const level of wanted === 'auto' ? (['relaxed-simd', 'simd'] as const) : [wanted]) {
    const { works, reason } = await probeLevel(level);
    if (works) return level;
    refused.push(reason);
  }
  throw new KernelError('unavailable', `wasm: expected level ${wanted} to work here, found ${refused.join('; ')}`);
}

/** Compiles the module of a level, for a memory that is shared between threads or not, and for wide arithmetic or not. */
export function compileLevel(level: WasmLevel, shared: boolean, wide = false): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytesOf(level, shared, wide));
}
