import { BAR, type Cell, progressOf, summaryOf } from '../../../bench/never-slower/summary';

const PLAN = { least: 9, most: 40, precision: 0.015 };

function cell(name: string, [low, ratio, high]: readonly number[], precise = true): Cell {
  return { name: [name, 'f32'], speedup: { interval: { low, ratio, high }, rounds: 9, precise } };
}

describe('the summary of never-slower', () => {
  it('counts cells at the bar or above it, names the worst, and says none where there is none', () => {
    const cells = [cell('a', [0.96, BAR, 0.98]), cell('b', [0.95, 0.969, 0.97]), cell('c', [2, 2.1, 2.2])];
    expect(summaryOf(cells, PLAN)).toEqual([
      'at 0.97 or above: 2 of 3 cells',
      'below 0.97 with the whole interval: none',
      'worst: b f32 (0.969×, 0.950–0.970)',
      'wider than ±1.5 % in at most 40 rounds: none',
    ]);
  });

  it('comes last; before it each cell is told when it is done', () => {
    const line = progressOf(cell('a', [0.96, 0.97, 0.98]), { done: 3, all: 56 });
    expect(line).toBe('never-slower: 3 of 56: a f32 (0.970×, 0.960–0.980), 9 rounds');
  });

  it('names each cell that is below with its whole interval, and each that is less precise than asked for', () => {
    const cells = [cell('a', [0.9, 0.93, 0.9699]), cell('b', [0.8, 0.9, 0.96], false), cell('c', [1, 1.1, 1.2], false)];
    expect(summaryOf(cells, PLAN)).toEqual([
      'at 0.97 or above: 1 of 3 cells',
      'below 0.97 with the whole interval: 2: a f32 (0.930×, 0.900–0.970); b f32 (0.900×, 0.800–0.960)',
      'worst: b f32 (0.900×, 0.800–0.960)',
      'wider than ±1.5 % in at most 40 rounds: 2: b f32 (±9.1 %); c f32 (±9.1 %)',
    ]);
  });
});
