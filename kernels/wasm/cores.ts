import { counted } from '../../common';

/** More threads than this rarely help, because they share the memory of the machine. */
export const MOST_DEFAULT_THREADS = 8;

/** What a machine offers to threads at this moment. */
export interface Cores {
  /** Cores of the machine. */
  readonly machine: number;
  /** Cores that this process may run on. */
  readonly allowed: number;
  /** Processor time that the container may take, in cores; null without a limit, or where that is not known. */
  readonly quota: number | null;
  /** Threads of other processes that compute, or wait for a core; null where that is not known. */
  readonly busy: number | null;
}

/** A number of threads, and why it is this number. */
export interface ThreadChoice {
  readonly threads: number;
  /** Null where it is a number that the caller gave, or the cores, and nothing else is known. */
  readonly reason: string | null;
}

/**
 * As many threads as there are free cores that the process may use, from 1 to 8. All threads of a call wait for its slowest one, so
 * a thread too many costs more than a thread too few: a part of a core is none.
 */
export function chooseThreads({ machine, allowed, quota, busy }: Cores): ThreadChoice {
  const free = Math.min(allowed, Math.floor(quota ?? allowed), machine - (busy ?? 0), MOST_DEFAULT_THREADS);
  const threads = Math.max(1, free);
  if (quota === null && busy === null) return { threads, reason: null };
  const limits = [
    `${allowed} of ${counted(machine, 'core')}`,
    ...(quota === null ? [] : [`limited to the time of ${Number(quota.toFixed(2))}`]),
    ...(busy === null ? [] : [`${busy} busy`]),
  ];
  return { threads, reason: `${limits.join(', ')}: ${counted(threads, 'thread')}` };
}
