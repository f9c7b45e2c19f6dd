import { median, quantile } from 'simple-statistics';

/** Something to time: one call is one unit of work. Asynchronous work is awaited. */
export interface TimedCase {
  readonly name: string;
  run(): unknown;
  /** Calls a sample; without it, as many as fill `sampleMs`. */
  readonly calls?: number;
}

export interface InterleaveOptions {
  /** How long one sample should take at least, in milliseconds. Default 20. */
  readonly sampleMs?: number;
  /** Untimed calls of each case before the first round. Default 3. */
  readonly warmUp?: number;
}

/** A ratio of two cases, from their samples of the same rounds. */
export interface PairedRatio {
  readonly median: number;
  /** First and third quartile of the rounds' ratios. */
  readonly low: number;
  readonly high: number;
}

export interface Interleaved {
  readonly names: readonly string[];
  /** Median milliseconds a call. */
  medianMs(name: string): number;
  /** Time of `name` over time of `base`, paired round by round: what slowed a round down slowed both. */
  ratio(name: string, base: string): PairedRatio;
  /** Milliseconds a call of every round. */
  samples(name: string): readonly number[];
}

/**
 * Times cases in turns: every round runs each case once, in an order that rotates, so that clocks that change and
 * neighbours that come and go fall on all of them alike. Ratios of figures from separate runs do not have that.
 */
export async function interleave(
  cases: readonly TimedCase[],
  rounds: number,
  options: InterleaveOptions = {},
): Promise<Interleaved> {
  if (cases.length === 0 || rounds < 1) throw new Error('interleave: expected at least one case and one round');
  const { sampleMs = 20, warmUp = 3 } = options;
  const calls = new Map<string, number>();
  const times = new Map<string, number[]>();
  for (const one of cases) {
    if (times.has(one.name)) throw new Error(`interleave: expected names of their own, found ${one.name} twice`);
    await timed(one, Math.max(1, warmUp));
    const each = await timed(one, 1);
    calls.set(one.name, one.calls ?? Math.max(1, Math.ceil(sampleMs / Math.max(each, 1e-4))));
    times.set(one.name, []);
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < cases.length; i++) {
      const one = cases[(round + i) % cases.length];
      const count = calls.get(one.name)!;
      times.get(one.name)!.push((await timed(one, count)) / count);
    }
  }
  return summary(times);
}

async function timed(one: TimedCase, calls: number): Promise<number> {
  const from = performance.now();
  for (let call = 0; call < calls; call++) {
    const result = one.run();
    if (result instanceof Promise) await result;
  }
  return performance.now() - from;
}

function summary(times: ReadonlyMap<string, readonly number[]>): Interleaved {
  const samples = (name: string): readonly number[] => {
    const found = times.get(name);
    if (found === undefined) throw new Error(`interleave: expected a case of this run, found ${name}`);
    return found;
  };
  return {
    names: [...times.keys()],
    samples,
    medianMs: (name) => median([...samples(name)]),
    ratio(name, base) {
      const below = samples(base);
      const ratios = samples(name).map((time, round) => time / below[round]);
      return { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) };
    },
  };
}
