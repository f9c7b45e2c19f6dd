import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { WeightsError } from '../errors';

/** A lock not touched for this long belonged to a process that is gone, or sleeps. */
const STALE_MS = 20_000;
const TOUCH_MS = 4_000;
/** One whose process this machine has no more; not sooner, as containers may share a host name and not their processes. */
const ENDED_MS = 6_000;
const WAIT_MS = 100;

/** A lock as its holder sees it. */
export interface HeldLock {
  /** Whether it was taken from an owner that did not give it back, and may only sleep, with files open. */
  readonly takenOver: boolean;
  /** Throws `LockLost` when someone who thought us gone has the lock now. */
  check(): Promise<void>;
}

/** The holder slept for so long that another process took its lock; the work is that one's now. */
export class LockLost extends Error {}

/**
 * Runs `work` while holding a lock file, alone among all processes on this machine. The holder touches the file as it
 * works; a file left untouched, or by a process of this machine that has ended, is taken over.
 */
export async function withLock<Value>(
  path: string,
  signal: AbortSignal | undefined,
  work: (lock: HeldLock) => Promise<Value>,
): Promise<Value> {
  await mkdir(dirname(path), { recursive: true });
  const owner = `${process.pid} ${hostname()} ${randomUUID()}`;
  const isOurs = async () => (await contentOf(path)) === owner;
  let takenOver = false;
  while (!(await take(path, owner))) {
    if (signal?.aborted) throw new WeightsError('aborted', `${path}: waiting for another download was cancelled`);
    const stale = await isStale(path);
    if (stale) await replace(path, owner);
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    takenOver = stale && (await isOurs()); // others may have replaced it too: the last one has it
    if (takenOver) break;
  }
  const touch = async () => {
    if (await isOurs()) await utimes(path, new Date(), new Date());
  };
  const touching = setInterval(() => touch().catch(() => undefined), TOUCH_MS);
  touching.unref();
  const check = async () => {
    if (!(await isOurs())) throw new LockLost(path);
  };
  try {
    return await work({ takenOver, check });
  } finally {
    clearInterval(touching);
    if (await isOurs()) await unlink(path).catch(() => undefined);
  }
}

/** A lock appears with its owner's name in it, never empty: written beside, then linked. */
async function take(path: string, owner: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, owner);
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // A file system without hard links: creating is as exclusive there, only not written at once.
    return writeFile(path, owner, { flag: 'wx' }).then(
      () => true,
      (exists: NodeJS.ErrnoException) => {
        if (exists.code === 'EEXIST') return false;
        throw exists;
      },
    );
  } finally {
    await unlink(aside).catch(() => undefined);
  }
}

/** Puts our lock in the place of a stale one at once, so that nobody gets it in between without knowing whose it was. */
async function replace(path: string, owner: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, owner);
  await rename(aside, path);
}

async function isStale(path: string): Promise<boolean> {
  const [pid, host] = (await contentOf(path))?.split(' ') ?? [];
  const touched = await stat(path).catch(() => null);
  if (touched === null) return false; // given back meanwhile
  const age = Date.now() - touched.mtimeMs;
  return age > STALE_MS || (age > ENDED_MS && host === hostname() && hasEnded(Number(pid)));
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function contentOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
