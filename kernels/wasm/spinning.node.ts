/** Milliseconds between two looks. */
const LOOK_MS = 20;
/** Two looks that are further apart are not compared: this process waited in between, or its threads slept early. */
const LONGEST_LOOK_MS = 100;
/** Preemptions in a millisecond from which on others want the cores: several threads that compute lose theirs every few milliseconds. */
const PREEMPTIONS_PER_MS = 0.1;
/** Milliseconds for which waiting threads then sleep early. Who wakes another thread may lose its core to it, so preemptions say nothing meanwhile. */
const SHORT_MS = 500;
/** Polls are so many times fewer then, as a power of two. */
const SHORT = 7;

/**
 * Tells how much waiting threads may poll. A thread that polls keeps its core from a thread that could compute: another process's,
 * or the very thread that it waits for. Where the system takes cores away from this process's threads, waiting threads sleep early.
 */
export class SpinGauge {
  private lookedAt = Number.NEGATIVE_INFINITY;
  private preempted = 0;
  private shortUntil = Number.NEGATIVE_INFINITY;

  /**
   * @param preemptions how often threads of this process have lost their core to others so far
   * @param clock milliseconds
   */
  constructor(
    private readonly preemptions: () => number,
    private readonly clock: () => number,
  ) {}

  /** By which power of two polls are fewer. */
  shift(): number {
    const now = this.clock();
    if (now < this.shortUntil) return SHORT;
    const passed = now - this.lookedAt;
    if (passed < LOOK_MS) return 0;
    const before = this.preempted;
    this.preempted = this.preemptions();
    this.lookedAt = now;
    if (passed > LONGEST_LOOK_MS || this.preempted - before < passed * PREEMPTIONS_PER_MS) return 0;
    this.shortUntil = now + SHORT_MS;
    return SHORT;
  }
}

const gauge = new SpinGauge(
  // Runtimes that follow Node may not have it.
  () => process.resourceUsage?.().involuntaryContextSwitches ?? 0,
  () => performance.now(),
);

/** By which power of two waiting threads poll fewer times before they sleep. Windows counts no preemptions: there it is 0. */
export const spinShift = () => gauge.shift();
