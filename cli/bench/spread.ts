/** Where samples lie. */
export interface Spread {
  /** In the unit of the samples. */
  readonly median: number;
  /** Half the distance between the quartiles, in per cent of the median. */
  readonly margin: number;
}

/**
 * The median of samples, the upper one of two, and how far they lie from it.
 *
 * @param samples in any order, at least one
 */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * sorted.length)];
  const median = at(0.5);
  return { median, margin: (50 * (at(0.75) - at(0.25))) / median };
}
