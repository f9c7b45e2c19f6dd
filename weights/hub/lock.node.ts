import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { throwIfAborted } from '../http/failures';
import { type Pause, pauseByClock } from '../http/retry';

/** The owner touches its lock this often. */
const TOUCH_MS = 4_000;
/** A lock that was not touched for this long belongs to a process that is gone, or sleeps. */
const STALE_MS = 20_000;
/**
 * The same for a process of this host that has ended. Not shorter, because containers can share a host's name and not its
 * processes: one that cannot be seen from here still touches its lock.
 */
const ENDED_MS = 6_000;
/** A waiting process looks at the lock this often. */
const LOOK_MS = 100;

/** A lock, for the one who has it. */
export interface Lock {
  /** Whether it was taken from an owner that did not give it back. That owner may only sleep, with files open. */
  readonly takenOver: boolean;
  /** @throws LockLost when another process took the lock over, because this one slept too long */
  check(): Promise<void>;
}

/** The owner slept for so long that another process took its lock. The work belongs to that process now. */
export class LockLost extends Error {}

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Default: by the clock. */
  readonly pause?: Pause;
  /** Time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Runs `work` while a lock file exists that names this call as its owner, so that no other call on this machine, or on
 * another one that shares the folder, works at the same time. The owner touches the file; a lock that is not touched is
 * taken over.
 *
 * @throws WeightsError `aborted` when the caller cancels while waiting
 */
export async function withLock<Value>(
  path: string,
  { signal, pause = pauseByClock, now = Date.now }: LockOptions,
  work: (lock: Lock) => Promise<Value>,
): Promise<Value> {
  await mkdir(dirname(path), { recursive: true });
  const owner = `${process.pid} ${hostname()} ${randomUUID()}`;
  const isOurs = async () => (await contentOf(path)) === owner;
  const observer = new LockObserver(path, now);
  let takenOver = false;
  while (!(await create(path, owner))) {
    throwIfAborted(`${path}: waiting for another download`, signal);
    const stale = await observer.isStale();
    if (stale) await replace(path, owner);
    await pause(LOOK_MS, signal);
    takenOver = stale && (await isOurs()); // others may have replaced it at the same time: the last one owns it
    if (takenOver) break;
  }
  const touch = async () => {
    if (await isOurs()) await utimes(path, new Date(), new Date());
  };
  const touching = setInterval(() => touch().catch(() => undefined), TOUCH_MS);
  touching.unref?.();
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

/** Creates a lock with its owner's name in it, so that nobody finds it empty: written beside, then linked. */
async function create(path: string, owner: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, owner, { flag: 'wx' });
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // A file system without hard links: this creates the lock as exclusively, but not with its content at once.
    return writeFile(path, owner, { flag: 'wx' }).then(
      () => true,
      (refused: NodeJS.ErrnoException) => {
        if (refused.code === 'EEXIST') return false;
        throw refused;
      },
    );
  } finally {
    await unlink(aside).catch(() => undefined);
  }
}

/** Puts a lock in the place of a stale one in one step, so that no third process takes it in between. */
async function replace(path: string, owner: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, owner, { flag: 'wx' });
  await rename(aside, path);
}

/** Watches another owner's lock from outside. */
class LockObserver {
  #seen = '';
  #since = 0;

  constructor(
    private readonly path: string,
    private readonly now: () => number,
  ) {}

  /**
   * Whether the lock was not touched for too long: by its time of change, or, because the clocks of two machines may
   * differ by hours and a lock may seem to come from the future, by having looked the same for as long.
   */
  async isStale(): Promise<boolean> {
    const content = await contentOf(this.path);
    const status = await stat(this.path).catch(() => null);
    if (status === null) return false; // given back meanwhile
    const seen = `${status.mtimeMs} ${content}`;
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#since = this.now();
    }
    const untouched = Math.max(this.now() - status.mtimeMs, this.now() - this.#since);
    const [pid, host] = content?.split(' ') ?? [];
    return untouched > STALE_MS || (untouched > ENDED_MS && host === hostname() && hasEnded(Number(pid)));
  }
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks whether the process exists
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function contentOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
