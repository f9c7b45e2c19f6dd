/** Cells with fewer expected counts than this are pooled, because the χ² approximation needs about five. */
const LEAST_EXPECTED = 5;

export interface ChiSquared {
  readonly statistic: number;
  readonly degrees: number;
  /** The statistic is above this with probability 0.005 when the counts come from the distribution. */
  readonly critical: number;
  /** The probability of this statistic or a larger one when the counts come from the distribution. */
  readonly tail: number;
}

/**
 * Pearson's χ² test of counts against a distribution. Rare outcomes are pooled into one cell. An outcome of probability zero that
 * was counted makes the statistic infinite.
 */
export function chiSquared(counts: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): ChiSquared {
  let total = 0;
  for (const count of counts.values()) total += count;
  const cells: { seen: number; expected: number }[] = [];
  const rare = { seen: 0, expected: 0 };
  for (const key of new Set([...counts.keys(), ...expected.keys()])) {
    const cell = { seen: counts.get(key) ?? 0, expected: total * (expected.get(key) ?? 0) };
    if (cell.expected >= LEAST_EXPECTED) {
      cells.push(cell);
    } else {
      rare.seen += cell.seen;
      rare.expected += cell.expected;
    }
  }
  if (rare.expected > 0 || rare.seen > 0) cells.push(rare);
  const statistic = cells.reduce((sum, cell) => sum + (cell.seen - cell.expected) ** 2 / cell.expected, 0);
  const degrees = cells.length - 1;
  return { statistic, degrees, critical: criticalValue(degrees), tail: chiSquaredTail(statistic, degrees) };
}

/**
 * Pearson's χ² test of whether two samples come from one unknown distribution. Rare outcomes are pooled. The samples have equal
 * sizes, so half of the counts of each outcome are expected in each.
 */
export function twoSamples(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): ChiSquared {
  const cells: [number, number][] = [];
  const rare: [number, number] = [0, 0];
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const cell: [number, number] = [one.get(key) ?? 0, other.get(key) ?? 0];
    if (cell[0] + cell[1] >= 2 * LEAST_EXPECTED) {
      cells.push(cell);
    } else {
      rare[0] += cell[0];
      rare[1] += cell[1];
    }
  }
  if (rare[0] + rare[1] > 0) cells.push(rare);
  const statistic = cells.reduce((sum, [a, b]) => sum + (a - b) ** 2 / (a + b), 0);
  const degrees = cells.length - 1;
  return { statistic, degrees, critical: criticalValue(degrees), tail: chiSquaredTail(statistic, degrees) };
}

/** The level of `critical`. */
const LEVEL = 0.005;

/** The statistic whose tail is 0.005, by bisection. 0 without a degree of freedom. */
function criticalValue(degrees: number): number {
  let [low, high] = [0, 10 * degrees + 100];
  if (degrees < 1) return 0;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (chiSquaredTail(middle, degrees) > LEVEL) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The probability that χ² with so many degrees of freedom is above a value: the regularised upper incomplete gamma function
 * Q(degrees / 2, value / 2), whose recurrence Q(a + 1, x) = Q(a, x) + xᵃ e⁻ˣ / Γ(a + 1) begins at a = 1 or 1/2.
 */
export function chiSquaredTail(value: number, degrees: number): number {
  if (degrees < 1) return value > 0 ? 0 : 1;
  if (!(value > 0)) return 1;
  if (value === Number.POSITIVE_INFINITY) return 0;
  const x = value / 2;
  const odd = degrees % 2 === 1;
  let a = odd ? 0.5 : 1;
  let tail = odd ? erfc(Math.sqrt(x)) : Math.exp(-x);
  let logTerm = (odd ? 0.5 * Math.log(x) - Math.log(Math.sqrt(Math.PI) / 2) : Math.log(x)) - x; // of xᵃ e⁻ˣ / Γ(a + 1)
  for (; a + 1 <= degrees / 2; a++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(x) - Math.log(a + 1);
  }
  return Math.min(1, tail);
}

/** 1 − erf(z) for z ≥ 0: by erf's series below 2, by the continued fraction (Abramowitz and Stegun 7.1.14) above. */
function erfc(z: number): number {
  const scale = Math.exp(-z * z) / Math.sqrt(Math.PI);
  if (z < 2) {
    let [term, sum] = [2 * z, 2 * z];
    for (let n = 1; term > 1e-17 * sum; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return 1 - scale * sum;
  }
  let fraction = z;
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction;
  return scale / fraction;
}
