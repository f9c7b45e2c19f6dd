import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { pauseByClock } from '../../../weights/http/retry';
import { LockLost, withLock } from '../../../weights/hub/lock.node';

/** No process has this id: Linux allows at most 2^22. */
const ENDED = 2 ** 30;
const MINUTE = 60_000;

describe('the lock', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'tandem-lock-'));
    file = path.join(directory, 'x.lock');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** Leaves a lock as if its owner had touched it `age` milliseconds ago. */
  const leave = (owner: string, age: number) => {
    writeFileSync(file, owner);
    const touched = new Date(Date.now() - age);
    utimesSync(file, touched, touched);
  };

  /** A clock that moves by the pauses alone. */
  const fakeClock = () => {
    const begin = Date.now();
    const clock = {
      elapsed: 0,
      now: () => begin + clock.elapsed,
      pause: async (milliseconds: number) => {
        clock.elapsed += milliseconds;
      },
    };
    return clock;
  };

  it('is taken over when its owner is gone, and one call has it at a time', async () => {
    leave('1', MINUTE);
    let inside = 0;
    let most = 0;
    let runs = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
      runs++;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(file, {}, work)));
    expect([most, runs]).toEqual([1, 5]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is not waited for by a call that is cancelled, before or while it waits', async () => {
    leave('1', 0);
    const work = async () => undefined;
    await expect(withLock(file, { signal: AbortSignal.abort() }, work)).rejects.toMatchObject({ code: 'aborted' });
    const abort = new AbortController();
    const pause = (_: number, signal?: AbortSignal) => {
      abort.abort();
      return pauseByClock(MINUTE, signal); // ends at once, or this spec never does
    };
    await expect(withLock(file, { signal: abort.signal, pause }, work)).rejects.toMatchObject({ code: 'aborted' });
    expect(readFileSync(file, 'utf8')).toBe('1');
  });

  it('tells an owner that it was taken over, and leaves the new owner’s in place', async () => {
    const slept = withLock(file, {}, async (lock) => {
      await lock.check();
      expect(lock.takenOver).toBe(false);
      const long = new Date(Date.now() - MINUTE);
      utimesSync(file, long, long);
      await withLock(file, {}, async (other) => {
        expect(other.takenOver).toBe(true);
        await other.check();
        await expect(lock.check()).rejects.toBeInstanceOf(LockLost);
      });
      writeFileSync(file, 'a third owner');
    });
    await slept;
    expect(readFileSync(file, 'utf8')).toBe('a third owner');
  });

  it.each([
    [
      'a process of this host that has ended, untouched for 5 s',
      () => `${ENDED} ${hostname()} x`,
      5_000,
      [1_000, 1_200],
    ],
    ['a process of this host that has ended, untouched for 7 s', () => `${ENDED} ${hostname()} x`, 7_000, [0, 100]],
    [
      'a process of this host that runs, untouched for 7 s',
      () => `${process.pid} ${hostname()} x`,
      7_000,
      [13_000, 13_200],
    ],
    ['another host’s process, untouched for 7 s', () => `${ENDED} elsewhere x`, 7_000, [13_000, 13_200]],
    ['another host’s process, untouched for 21 s', () => `${ENDED} elsewhere x`, 21_000, [0, 100]],
    ['an owner whose clock is a day ahead', () => `${ENDED} elsewhere x`, -1440 * MINUTE, [20_000, 20_300]],
    [
      'an owner of this host that has ended, touched a day ahead',
      () => `${ENDED} ${hostname()} x`,
      -1440 * MINUTE,
      [6_000, 6_300],
    ],
    ['nobody that can be read', () => '', 7_000, [13_000, 13_200]],
  ])('of %s is taken over when the clock says so', async (_, owner, age, [least, most]) => {
    leave(owner(), age);
    const clock = fakeClock();
    const waited = await withLock(file, clock, async (lock) => {
      expect(lock.takenOver).toBe(true);
      return clock.elapsed;
    });
    expect(waited).toBeGreaterThanOrEqual(least);
    expect(waited).toBeLessThanOrEqual(most + 100);
  });

  it('of an owner that goes on touching it is never taken over, whatever its clock says', async () => {
    leave(`${ENDED} elsewhere x`, -1440 * MINUTE);
    const clock = fakeClock();
    let looks = 0;
    const pause = async (milliseconds: number) => {
      await clock.pause(milliseconds);
      if (++looks % 40 === 0) leave(`${ENDED} elsewhere x`, -1440 * MINUTE - looks); // every four seconds
      if (looks === 1_000) rmSync(file);
    };
    const takenOver = await withLock(file, { ...clock, pause }, async (lock) => lock.takenOver);
    expect(takenOver).toBe(false);
    expect(clock.elapsed).toBe(100_000);
  });
});
