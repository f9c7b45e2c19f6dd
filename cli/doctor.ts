import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { VERSION } from '../api';
import { type BackendProbe, createBackend, probeBackends } from '../kernels';
import { CommandError, EXIT } from './failure';

interface DoctorFlags {
  readonly json?: boolean;
  /** Only the probes, as JSON: what `doctor` runs as a process of its own. */
  readonly probe?: boolean;
}

/**
 * Tries the backends in a process of its own: drivers write to standard error past Node, and a broken one may take the
 * process with it.
 */
function probeApart(): BackendProbe[] {
  const probe = [process.argv[1], 'doctor', '--probe'];
  const run = spawnSync(process.execPath, probe, {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    return JSON.parse(run.stdout) as BackendProbe[];
  } catch {
    const found = run.error?.message ?? `exit ${run.status ?? run.signal}`;
    throw new CommandError(`doctor: expected an answer from the backends, found ${found}`, EXIT.failed);
  }
}

/** `tandem doctor`: what this machine gets, and why. */
export async function doctor({ json, probe }: DoctorFlags): Promise<void> {
  if (probe) {
    process.stdout.write(JSON.stringify(await probeBackends()));
    return;
  }
  const backends = probeApart();
  const chosen = await createBackend('auto');
  const { name, level, threads, reason = '', weightTypes } = chosen.facts;
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
    backends,
  };
  if (json) {
    process.stdout.write(`${JSON.stringify(found)}\n`);
    return;
  }
  const gigabytes = (found.memoryBytes / 2 ** 30).toFixed(1);
  const rows: [string, string][] = [
    ['tandem', VERSION],
    ['node', `${found.node} on ${found.platform}`],
    ['processor', `${found.processor}, ${found.cores} core${found.cores === 1 ? '' : 's'}, ${gigabytes} GiB of memory`],
    ['SharedArrayBuffer', found.sharedMemory ? 'yes: threads can share weights' : 'no: one thread only'],
    [
      'auto takes',
      `${name} (${level}), ${threads} thread${threads === 1 ? '' : 's'}; ${reason}; types ${weightTypes.join(', ')}`,
    ],
    ...backends.map((probe): [string, string] => [
      `backend ${probe.name}`,
      `${probe.available ? 'works' : 'does not work'}: ${probe.reason}`,
    ]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  process.stdout.write(`${rows.map(([label, value]) => label.padEnd(width) + value).join('\n')}\n`);
}
