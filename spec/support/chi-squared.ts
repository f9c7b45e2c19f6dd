import { chiSquaredDistributionTable } from 'simple-statistics';

/** Cells with fewer expected counts than this are pooled, because the χ² approximation needs about five. */
const LEAST_EXPECTED = 5;

export interface ChiSquared {
  readonly statistic: number;
  readonly degrees: number;
  /** The statistic is above this with probability 0.005 when the counts come from the distribution. */
  readonly critical: number;
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
  return { statistic, degrees, critical: criticalValue(degrees) };
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
  return { statistic, degrees: cells.length - 1, critical: criticalValue(cells.length - 1) };
}

/** The 99.5th percentile of the standard normal distribution. */
const Z = 2.575829;

/** The 99.5th percentile of χ²: from simple-statistics' table up to 30, then by Wilson and Hilferty's cube (within 0.1 %). */
function criticalValue(degrees: number): number {
  const row = Object.entries(chiSquaredDistributionTable).find(([known]) => Number(known) === degrees);
  if (degrees <= 30 && row) return row[1][0.005];
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + Z * Math.sqrt(spread)) ** 3;
}
