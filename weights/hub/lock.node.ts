import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WeightsError } from '../errors';

/** A lock not touched for this long belonged to a process that is gone. */
const STALE_MS = 20_000;
const TOUCH_MS = 4_000;
const WAIT_MS = 100;

/**
 * Runs `work` while holding a lock file, alone among all processes on this machine. The holder touches the file as it
 * works; a file left untouched is taken over.
 */
export async function withLock<Value>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Value>,
): Promise<Value> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await take(path))) {
    if (signal?.aborted) throw new WeightsError('aborted', `${path}: waiting for another download was cancelled`);
    if (!(await clearStale(path))) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
  const touching = setInterval(() => utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await unlink(path).catch(() => undefined); // taken over by someone who thought us gone
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock; true when there is none any more. */
async function clearStale(path: string): Promise<boolean> {
  const age = await lockAge(path);
  if (age === null) return true;
  if (age < STALE_MS) return false;
  // Two waiters may both see it stale: moving it away first makes sure that what is removed is what was looked at.
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return true;
  const moveAge = await lockAge(aside);
  if (moveAge !== null && moveAge < STALE_MS) await link(aside, path).catch(() => undefined); // it was fresh: give it back
  await unlink(aside).catch(() => undefined);
  return true;
}

async function lockAge(path: string): Promise<number | null> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return null;
  }
}
