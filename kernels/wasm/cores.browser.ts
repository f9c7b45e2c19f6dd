import { type Cores, MOST_DEFAULT_THREADS, type ThreadChoice } from './cores';

/** The cores that the browser tells a page of. It does not say what else runs. */
export async function findCores(): Promise<Cores> {
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  return { machine: cores, allowed: cores, quota: null, busy: null };
}

/** As `chooseThreads` of cores.ts does where nothing but the cores is known. A page has no bytes for the rest. */
export function chooseThreads({ allowed }: Cores): ThreadChoice {
  return { threads: Math.min(allowed, MOST_DEFAULT_THREADS), reason: null };
}
