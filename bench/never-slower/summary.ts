import { halfWidthOf, type MeasuredRatio, type RoundPlan } from '../harness/untilPrecise';

/** A ratio below it counts as slower. */
export const BAR = 0.97;

/** A combination of draft, type, threads and temperature, and how fast decoding with the draft is beside decoding without. */
export interface Cell {
  readonly name: readonly string[];
  readonly speedup: MeasuredRatio;
}

/** What the cells say together, a line each: how many reach the bar, the worst, and those that are less precise than asked for. */
export function summaryOf(cells: readonly Cell[], plan: RoundPlan): string[] {
  const ratioOf = ({ speedup }: Cell) => speedup.interval.ratio;
  const reached = cells.filter((cell) => ratioOf(cell) >= BAR).length;
  const slower = cells.filter(({ speedup }) => speedup.interval.high < BAR);
  const worst = cells.reduce((least, cell) => (ratioOf(cell) < ratioOf(least) ? cell : least));
  const wide = cells.filter(({ speedup }) => !speedup.precise);
  const asked = `±${percent(plan.precision)} in at most ${plan.most} rounds`;
  return [
    `at ${BAR} or above: ${reached} of ${cells.length} cells`,
    `below ${BAR} with the whole interval: ${listOf(slower, placeOf)}`,
    `worst: ${placeOf(worst)}`,
    `wider than ${asked}: ${listOf(wide, (cell) => `${cell.name.join(' ')} (${marginOf(cell)})`)}`,
  ];
}

/** One cell when it is done, and how many of all are: a run takes twenty minutes or more, and one that is stopped has told these. */
export function progressOf(cell: Cell, { done, all }: { readonly done: number; readonly all: number }): string {
  return `never-slower: ${done} of ${all}: ${placeOf(cell)}, ${cell.speedup.rounds} rounds`;
}

/** Half of the interval's width, in percent of the ratio. */
export function marginOf({ speedup }: Cell): string {
  return `±${percent(halfWidthOf(speedup.interval))}`;
}

function placeOf({ name, speedup }: Cell): string {
  const { ratio, low, high } = speedup.interval;
  return `${name.join(' ')} (${ratio.toFixed(3)}×, ${low.toFixed(3)}–${high.toFixed(3)})`;
}

function listOf(cells: readonly Cell[], textOf: (cell: Cell) => string): string {
  return cells.length === 0 ? 'none' : `${cells.length}: ${cells.map(textOf).join('; ')}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
