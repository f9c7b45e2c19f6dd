/** Milliseconds between two looks. */
const LOOK_MS = 20;
/** Two looks that are further apart are not compared: this process waited in between, or its threads slept early. */
const LONGEST_LOOK_MS = 100;
/** Preemptions in a millisecond from which on others may want the cores. A process that is alone has as many now and then: its own helpers. */
const PREEMPTIONS_PER_MS = 0.1;
/**
 * The share of the time of its threads that a process has at least where it is alone: threads that poll run all the time. One that
 * shares its cores with another process has about half.
 */
const ALONE = 2 / 3;
/** So many looks in a row have to find others: one alone may have met a moment of the system's own work. */
const LOOKS = 2;
/** Milliseconds for which waiting threads then sleep early. Who wakes another thread may lose its core to it, so preemptions say nothing meanwhile. */
const SHORT_MS = 500;
/** Polls are so many times fewer then, as a power of two. */
const SHORT = 7;

/** What the system has done with the threads of this process so far. */
export interface Usage {
  /** How often they have lost their core to others. */
  readonly preempted: number;
  /** Milliseconds of processor time that they had, all together. */
  readonly ran: number;
}

/**
 * Tells how much waiting threads may poll. A thread that polls keeps its core from a thread that could compute: another process's,
 * or the very thread that it waits for. Where the system takes cores away from this process's threads, waiting threads sleep early.
 */
export class SpinGauge {
  private lookedAt = Number.NEGATIVE_INFINITY;
  private last: Usage = { preempted: 0, ran: 0 };
  private shortUntil = Number.NEGATIVE_INFINITY;
  /** Looks in a row that found others. */
  private crowded = 0;

  /** @param clock milliseconds */
  constructor(
    private readonly usage: () => Usage,
    private readonly clock: () => number,
  ) {}

  /**
   * By which power of two polls are fewer.
   *
   * @param threads that compute or poll
   */
  shift(threads: number): number {
    const now = this.clock();
    if (now < this.shortUntil) return SHORT;
    const passed = now - this.lookedAt;
    if (passed < LOOK_MS) return 0;
    const { last } = this;
    const found = this.usage();
    this.last = found;
    this.lookedAt = now;
    const isAlone = found.ran - last.ran >= ALONE * threads * passed;
    const isCrowded = !isAlone && found.preempted - last.preempted >= PREEMPTIONS_PER_MS * passed;
    this.crowded = passed <= LONGEST_LOOK_MS && isCrowded ? this.crowded + 1 : 0;
    if (this.crowded < LOOKS) return 0;
    this.crowded = 0;
    this.shortUntil = now + SHORT_MS;
    return SHORT;
  }
}

function usage(): Usage {
  const found = process.resourceUsage?.(); // runtimes that follow Node may not have it
  if (!found) return { preempted: 0, ran: 0 };
  const { involuntaryContextSwitches, userCPUTime, systemCPUTime } = found;
  return { preempted: involuntaryContextSwitches, ran: (userCPUTime + systemCPUTime) / 1000 };
}

const gauge = new SpinGauge(usage, () => performance.now());

/** Jobs from one look at the clock to the next. The clock takes as long as a hundredth of a small job. */
const JOBS = 16;
let jobs = 0;
let shift = 0;

/** By which power of two waiting threads, of so many, poll fewer times before they sleep. Windows counts no preemptions: there it is 0. */
export function spinShift(threads: number): number {
  if (jobs++ % JOBS === 0) shift = gauge.shift(threads);
  return shift;
}
