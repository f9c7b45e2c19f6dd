import { execFile } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { type Command, Option } from 'commander';
import { costFolder, type FoundCosts, forgetCosts, listCosts, VERSION } from '../api';
import { counted, printable } from '../common';
import { type BackendProbe, createBackend, probeBackends } from '../kernels';
import { CommandError } from './failure';
import { facts } from './table';
import { jsonLine } from './terminal';

export interface DoctorFlags {
  readonly json?: boolean;
  /** Print only what the backends answer, as JSON. `doctor` runs this in a process of its own. */
  readonly probe?: boolean;
  /** Remove what decoding has learnt of costs. */
  readonly forgetCosts?: boolean;
}

/** Puts the flags of `tandem doctor` on a command. */
export function addDoctorFlags(command: Command): Command {
  return command
    .description('say which backends work on this machine, which one `auto` takes, and why')
    .option('--json', 'print one JSON object')
    .option('--forget-costs', 'remove what decoding has learnt of costs, before anything else')
    .addOption(new Option('--probe').hideHelp());
}

const PROBE_TIMEOUT_MS = 60_000;

/**
 * Tries the backends in a process of its own: a graphics driver may write to standard error without Node's knowledge, and a
 * broken one may end the process.
 */
export function probeApart(signal: AbortSignal): Promise<BackendProbe[]> {
  const args = [process.argv[1], 'doctor', '--probe'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: PROBE_TIMEOUT_MS, signal }, (error, stdout) => {
      try {
        resolve(JSON.parse(stdout) as BackendProbe[]);
      } catch {
        if (signal.aborted) return reject(signal.reason);
        const { signal: end, code } = (error ?? {}) as { signal?: string; code?: number | string };
        const found = end ? `it ended by ${end}` : `exit code ${code ?? 0}`;
        reject(new CommandError('unavailable', `doctor: expected an answer from the backends, found ${found}`));
      }
    });
  });
}

/** `tandem doctor`: what this machine offers to Tandem, and why. */
export async function doctor({ json, probe, forgetCosts: forget }: DoctorFlags, signal: AbortSignal): Promise<void> {
  if (probe) {
    process.stdout.write(JSON.stringify(await probeBackends()));
    return;
  }
  const costs = await costsHere(forget === true);
  const backends = await probeApart(signal);
  const chosen = await createBackend('auto', { wide: 'auto' });
  const { name, level, wide, threads, reason = '', weightTypes } = chosen.facts;
  await chosen.dispose();
  const cores = cpus();
  const found = {
    version: VERSION,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cores: cores.length,
    processor: cores[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    sharedMemory: typeof SharedArrayBuffer === 'function',
    auto: { name, level, threads, reason, weightTypes },
    wide: wide ?? { on: false, reason: `${name} has no such thing` },
    costs,
    backends,
  };
  process.stdout.write(json ? jsonLine(found) : page(found));
}

/** What decoding has learnt of costs on this machine, and where it is kept; null where nothing is kept. */
interface KeptHere {
  readonly folder: string;
  readonly forgotten: number;
  readonly files: readonly FoundCosts[];
}

async function costsHere(forget: boolean): Promise<KeptHere | null> {
  const folder = costFolder();
  if (folder === null) return null;
  const forgotten = forget ? await forgetCosts(folder) : 0;
  return { folder, forgotten, files: await listCosts(folder) };
}

function costsLine(costs: KeptHere | null): string {
  if (costs === null) return 'none are kept: TANDEM_COSTS is off';
  const { folder, forgotten, files } = costs;
  const gone = forgotten > 0 ? `; ${counted(forgotten, 'file')} removed` : '';
  return `${counted(files.length, 'file')} in ${folder}${gone}`;
}

/** One line for each file: what it belongs to, and what a draft step and a call of several rows cost there. */
function costLines({ files }: KeptHere): [string, string][] {
  return files.map((found) => {
    if ('wrong' in found) return ['  not taken', `${found.file}: ${found.wrong}`];
    const { target, drafter, threads } = found.key;
    const ways = Object.entries(found.costs).map(([way, { target: curve, draft, alpha }]) => {
      const [rows, v] = curve[curve.length - 1];
      const c = draft[0]?.[1];
      return `${way}: α ${alpha.toFixed(2)}, c ${c === undefined ? '?' : c.toFixed(2)}, v(${rows}) ${v.toFixed(2)}`;
    });
    return [`  ${drafter}`, `${target}, ${counted(Number(threads), 'thread')}; ${ways.join('; ')}`];
  });
}

interface Findings {
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly sharedMemory: boolean;
  readonly auto: { name: string; level: string; threads: number; reason: string; weightTypes: readonly string[] };
  readonly wide: { on: boolean; reason: string };
  readonly costs: KeptHere | null;
  readonly backends: readonly BackendProbe[];
}

function page(findings: Findings): string {
  const { node, platform, cores, processor, memoryBytes, sharedMemory, auto, wide, costs, backends } = findings;
  const { name, level, threads, reason, weightTypes } = auto;
  const gigabytes = (memoryBytes / 2 ** 30).toFixed(1);
  const rows: [string, string][] = [
    ['tandem', VERSION],
    ['node', `${node} on ${platform}`],
    ['processor', `${processor}, ${counted(cores, 'core')}, ${gigabytes} GiB of memory`],
    ['SharedArrayBuffer', sharedMemory ? 'yes: threads can share weights' : 'no: one thread only'],
    ['auto takes', `${name} (${level}), ${counted(threads, 'thread')}; ${reason}; types ${weightTypes.join(', ')}`],
    ['256-bit arithmetic', `${wide.on ? 'on' : 'off'}: ${wide.reason}`],
    ['learnt costs', costsLine(costs)],
    ...(costs ? costLines(costs) : []),
    ...backends.map((one): [string, string] => [
      `backend ${one.name}`,
      `${one.available ? 'works' : 'does not work'}: ${one.reason}`,
    ]),
  ];
  return facts(rows.map(([label, value]) => [label, printable(value)]));
}
