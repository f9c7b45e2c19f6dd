import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cores } from './cores';

export { chooseThreads } from './cores';

/** Text of a file of the system; null where there is none, or it may not be read. */
export type ReadText = (path: string) => string | null;

/** How often `busyThreads` looks, a millisecond apart. One look would take a thread that runs for a moment for one that computes. */
const LOOKS = 5;

/**
 * The cores of the machine, and those that are free. What is busy and what a container may take is known on Linux alone. It takes a few
 * milliseconds.
 */
export async function findCores(): Promise<Cores> {
  const allowed = availableParallelism();
  return { machine: Math.max(allowed, cpus().length), allowed, quota: quotaOf(readText), busy: await busyThreads() };
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * The processor time that the control groups of this process leave it, in cores; null without a limit. Every group from the process's
 * own to the root may set one, and the least counts. Node's `availableParallelism` knows of it only since libuv 1.49.
 *
 * Source: Linux, Documentation/admin-guide/cgroup-v2.rst (`cpu.max`) and Documentation/scheduler/sched-bwc.rst (`cpu.cfs_quota_us`)
 */
export function quotaOf(read: ReadText): number | null {
  let least: number | null = null;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (group === undefined) continue;
    for (const folder of upwards(group)) {
      const quota = groupQuota(read, controllers.split(','), folder);
      if (quota !== null) least = Math.min(quota, least ?? quota);
    }
  }
  return least;
}

/** '/a/b', '/a' and '' of '/a/b'. In a container the file system may begin at any of them. */
function upwards(group: string): string[] {
  const parts = group.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, i) => ['', ...parts.slice(0, parts.length - i)].join('/'));
}

function groupQuota(read: ReadText, controllers: readonly string[], folder: string): number | null {
  if (controllers[0] === '') {
    const [quota, period] = (read(`/sys/fs/cgroup${folder}/cpu.max`) ?? '').split(' ');
    return ratio(quota, period); // without a limit it says 'max'
  }
  if (!controllers.includes('cpu')) return null;
  const value = (name: string) => read(`/sys/fs/cgroup/cpu${folder}/cpu.${name}`);
  return ratio(value('cfs_quota_us'), value('cfs_period_us')); // without a limit it says −1
}

function ratio(quota: string | null, period: string | null): number | null {
  const cores = Number(quota) / Number(period);
  return cores > 0 && Number.isFinite(cores) ? cores : null;
}

/**
 * Threads of other processes that compute or wait for a core, as Linux counts them now; null where that is not known. A load average
 * would not do: it is of the last minute, so what this user ran before would count, and what began a moment ago would not.
 */
export async function busyThreads(read: ReadText = readText, ownThreads = listOwnThreads): Promise<number | null> {
  const found: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await pause(1);
    const running = Number(/ (\d+)\/[1-9]\d* /.exec(read('/proc/loadavg') ?? '')?.[1]);
    if (Number.isNaN(running)) return null;
    // The state of a thread follows its name, which stands in brackets and may have some itself.
    const own = ownThreads().filter((thread) => /\) R [^)]*$/.test(read(`/proc/self/task/${thread}/stat`) ?? ''));
    found.push(Math.max(0, running - Math.max(1, own.length)));
  }
  return found.sort((a, b) => a - b)[LOOKS >> 1];
}

function listOwnThreads(): readonly string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return [];
  }
}
