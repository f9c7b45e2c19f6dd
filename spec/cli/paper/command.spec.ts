import { TABLE_1, TABLE_2, TABLE_3, TABLE_5 } from '../../../cli/paper/published';
import { buildCommand, expectOneLine, removeCommand, tandem } from '../command';

beforeAll(buildCommand);
afterAll(removeCommand);

const FEW = ['paper', '--passages', '2', '--max-tokens', '24'];

describe('tandem paper', () => {
  test('--json: every published figure as printed, and finite figures of this machine beside each', () => {
    const run = tandem([...FEW, '--json']);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    const { table1, table2, table3, table5, passages } = JSON.parse(run.stdout);
    expect(passages).toBe(2);
    expect(table2.published).toEqual(TABLE_2);
    expect(table3.published).toEqual(TABLE_3);
    expect(table5.published).toEqual(TABLE_5);
    for (const [i, row] of table1.entries()) {
      expect(row).toMatchObject(TABLE_1[i]);
      expect(Math.abs(row.theory.operations - row.operations)).toBeLessThanOrEqual(0.0051);
      expect(Math.abs(row.theory.speed - row.speed)).toBeLessThanOrEqual(0.0051);
    }
    expect(table2.measured.map(({ temperature, gamma }: never) => [temperature, gamma])).toEqual(
      [0, 1].flatMap((temperature) => [3, 5, 7].map((gamma) => [temperature, gamma])),
    );
    for (const row of table2.measured) {
      expect(row.alpha).toBeGreaterThan(0.4);
      expect(row.alpha).toBeLessThanOrEqual(1);
      const { alpha, gamma, c, v } = row;
      const tokens = (1 - alpha ** (gamma + 1)) / (1 - alpha); // a round, expected
      expect(row.theory).toBeCloseTo(tokens / (gamma * c + 1), 9); // theorem 3.8
      expect(row.predicted).toBeCloseTo(tokens / (gamma * c + v), 9);
      expect(row.measured).toBeGreaterThan(0);
    }
    expect(table3.measured.map(({ order }: { order: number }) => order)).toEqual([1, 2]);
    const [unigram, bigram] = table3.measured;
    expect(bigram.alpha.sampled).toBeGreaterThan(unigram.alpha.sampled);
    expect(table5.measured.map(({ exact }: { exact: boolean }) => exact)).toEqual([true, false, false, false]);
    expect(table5.measured.at(-1).alpha).toBeGreaterThan(table5.measured[0].alpha);
  });

  test('prints four tables, plain to a pipe, and marks what is not exact', () => {
    const { stdout, stderr, status } = tandem(FEW);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout.match(/^Table \d/gm)).toEqual(['Table 1', 'Table 2', 'Table 3', 'Table 5']);
    expect(stdout).toMatch(/^ {2}0\.90 +10 +1\.60× +1\.60× +6\.86× +6\.86×$/m);
    expect(stdout).toMatch(/^ {2}EnDe, small +0 +7 +0\.75 +0\.02 +3\.20× +3\.40×$/m);
    expect(stdout.match(/NO$/gm)).toHaveLength(3);
    expect(stdout).not.toContain('\u001b');
  });

  test('refuses more passages than there are', () => {
    expectOneLine(tandem(['paper', '--passages', '999']), /--passages: expected at most 200, found 999/);
  });
});
