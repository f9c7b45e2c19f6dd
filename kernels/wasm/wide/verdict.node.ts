import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../../common';
import { bytesOf, LEVELS } from '../modules';
import { WIDE_FLAG } from './flag.node';
import { PROBE_BYTES, PROBE_CODES } from './job';
import { probeJobs } from './jobs';
import { PROBE_PROGRAM } from './program';

/** Under these flags the optimising compiler takes over after the first call of a function, and before the next one. */
const OPTIMISE_AT_ONCE = ['--wasm-sync-tier-up', '--wasm-tiering-budget=1000'];

const TIMEOUT_MS = 60_000;

/** What the probe found: null when wide results have the bits of narrow ones. */
export type Verdict = string | null;

/**
 * Whether wide kernels give the bits of narrow ones on this runtime and processor. The probe takes about a second, so the answer
 * is kept in a file of the user's cache directory, by runtime, processor and compiled modules.
 *
 * @param variables the environment, for the place of the cache
 */
export async function verdict(variables: NodeJS.ProcessEnv = process.env): Promise<Verdict> {
  const input = probeInput();
  const file = join(cacheFolder(variables), `wide-${keyOf(input)}.json`);
  const kept = await readVerdict(file);
  if (kept !== undefined) return kept;
  const { answer, isFinal } = await probe(input);
  const found = answer === 'same' ? null : answer;
  if (isFinal) await keepVerdict(file, found);
  return found;
}

export function probeInput(): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const modules = LEVELS.filter((level) => WebAssembly.validate(bytesOf(level, false))).map((level) => ({
    level,
    narrow: base64(bytesOf(level, false)),
    wide: base64(bytesOf(level, false, true)),
    jobs: probeJobs(level),
  }));
  return JSON.stringify({ modules, bytes: PROBE_BYTES, codes: PROBE_CODES, flag: WIDE_FLAG });
}

function keyOf(input: string): string {
  const machine = [process.version, process.versions.v8, process.arch, cpus()[0]?.model];
  return createHash('sha256')
    .update(JSON.stringify(machine))
    .update(PROBE_PROGRAM)
    .update(input)
    .digest('hex')
    .slice(0, 16);
}

/** Undefined where there is no verdict to read. */
async function readVerdict(file: string): Promise<Verdict | undefined> {
  try {
    const { found } = JSON.parse(await readFile(file, 'utf8'));
    return found === null || typeof found === 'string' ? found : undefined;
  } catch {
    return undefined; // it was never written, or another program has spoilt it
  }
}

/** Writes a verdict. Where that is impossible the probe runs again the next time. */
async function keepVerdict(file: string, found: Verdict): Promise<void> {
  const content = { found, node: process.version, processor: cpus()[0]?.model };
  const fresh = `${file}.${process.pid}`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(fresh, `${JSON.stringify(content)}\n`);
    await rename(fresh, file);
  } catch {
    return;
  }
}

export interface Answer {
  readonly answer: string;
  /** Whether the same probe would give it again. */
  readonly isFinal: boolean;
}

/** Runs the probe in a process of its own: where the compiler has a fault, only that process ends. */
export function probe(input: string): Promise<Answer> {
  const args = [...OPTIMISE_AT_ONCE, '-e', PROBE_PROGRAM];
  const env = { ...process.env, NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    const failed = (why: string, isFinal = false) => resolve({ answer: `its probe did not run: ${why}`, isFinal });
    try {
      const child = execFile(process.execPath, args, { env, timeout: TIMEOUT_MS }, (error, stdout) => {
        const answer = stdout.trim();
        if (error === null && answer !== '') return resolve({ answer, isFinal: true });
        const { signal, code, killed } = (error ?? {}) as { signal?: string; code?: number | string; killed?: boolean };
        if (killed) return failed(`no answer within ${TIMEOUT_MS / 1000} seconds`);
        failed(signal ? `it ended by ${signal}` : `exit code ${code ?? 0}`, true);
      });
      child.stdin?.on('error', () => undefined); // the process ended before it read everything; the callback says so
      child.stdin?.end(input);
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error)); // Node's permission model refuses child processes
    }
  });
}
