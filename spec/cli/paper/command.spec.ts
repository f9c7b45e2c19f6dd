import type { Tandem } from '../../../api';
import { paperPage } from '../../../cli/paper/page';
import { TABLE_1, TABLE_2, TABLE_3, TABLE_5 } from '../../../decoding/gamma/published';
import { inside } from '../inside';

describe('tandem paper', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the record is what the specs look into
  let data: any;
  let told = '';
  beforeAll(async () => {
    const run = await inside(['paper', '--passages', '1', '--max-new-tokens', '16', '--json', '--verbose']);
    expect(run.status).toBe(0);
    data = JSON.parse(run.stdout);
    told = run.stderr;
  });

  it('--verbose tells what is loaded and what measuring took', () => {
    expect(told).toMatch(/\ntandem: computes on \w+ .*\ntandem: loaded in .* s\ntandem: measured in \d+\.\d\d s\n$/);
  });

  it('--json has every published figure as printed, and theorems 3.8 and 3.11 beside table 1', () => {
    expect(data.table2.published).toEqual(TABLE_2);
    expect(data.table3.published).toEqual(TABLE_3);
    expect(data.table5.published).toEqual(TABLE_5);
    for (const [i, row] of data.table1.entries()) {
      expect(row).toMatchObject(TABLE_1[i]);
      expect(Math.abs(row.theory.operations - row.operations)).toBeLessThanOrEqual(0.0051);
      expect(Math.abs(row.theory.speed - row.speed)).toBeLessThanOrEqual(0.0051);
    }
  });

  it('--json has the pair of this machine at both temperatures and three γ, with the speed-ups that its figures give', () => {
    expect(data.passages).toBe(1);
    expect(data.tokens).toBe(16);
    expect(data.table2.measured.map(({ temperature, gamma }: never) => [temperature, gamma])).toEqual(
      [0, 1].flatMap((temperature) => [3, 5, 7].map((gamma) => [temperature, gamma])),
    );
    for (const { alpha, gamma, c, v, theory, predicted, measured } of data.table2.measured) {
      expect(alpha).toBeGreaterThan(0);
      expect(alpha).toBeLessThanOrEqual(1);
      let tokens = 0; // a round, expected: Σ αⁱ
      for (let i = 0; i <= gamma; i++) tokens += alpha ** i;
      expect(theory).toBeCloseTo(tokens / (gamma * c + 1), 9); // theorem 3.8
      expect(predicted).toBeCloseTo(tokens / (gamma * c + v), 9);
      expect(measured).toBeGreaterThan(0);
    }
  });

  it('--json has both n-gram drafts, of which the bigram is accepted more often, and says what lenience makes inexact', () => {
    expect(data.table3.measured.map(({ order }: { order: number }) => order)).toEqual([1, 2]);
    const [unigram, bigram] = data.table3.measured;
    expect(bigram.sampled.alpha).toBeGreaterThan(unigram.sampled.alpha);
    expect(data.table5.measured.map(({ exact }: { exact: boolean }) => exact)).toEqual([true, false, false, false]);
  });

  it('prints four tables with the same figures, and marks what is not exact', () => {
    const tandem = {
      backend: data.backend,
      target: { parameters: 2e6, dtype: data.dtype },
      draft: { parameters: 1e6 },
    };
    const { passages, tokens, table2, table3, table5 } = data;
    const measured = { passages, tokens, pair: table2.measured, ngrams: table3.measured, lenience: table5.measured };
    const page = paperPage(tandem as unknown as Tandem, measured);
    expect(page.match(/^Table \d/gm)).toEqual(['Table 1', 'Table 2', 'Table 3', 'Table 5']);
    for (const [, head, ...rows] of page
      .split(/^(?=Table \d)/m)
      .slice(1)
      .map((one) => one.trimEnd().split('\n'))) {
      const cells = (line: string) => line.trim().split(/ {2,}/).length;
      expect(rows.length).toBeGreaterThan(3);
      for (const row of rows) expect([row, cells(row) <= cells(head)]).toEqual([row, true]);
    }
    expect(page).toMatch(/^ {2}0\.90 +10 +1\.60× +1\.60× +6\.86× +6\.86×$/m);
    expect(page).toMatch(/^ {2}EnDe, small +0 +7 +0\.75 +0\.02 +3\.20× +3\.40×$/m);
    expect(page.match(/NO$/gm)).toHaveLength(3);
    const [{ alpha, c, v }] = table2.measured;
    const figures = [alpha.toFixed(2), c.toFixed(3), v.toFixed(2)].join(' +');
    expect(page).toMatch(new RegExp(`^ {2}here +0 +3 +${figures} `, 'm'));
    expect(page).not.toContain('\u001b');
    const { name, level, wide, threads } = data.backend;
    const computer = `${name} (${level}${wide?.on ? ', wide' : ''}), ${threads} threads`;
    expect(page.split('\n')[1]).toBe(
      `here: 2.00 M target, 1.00 M draft, ${data.dtype} on ${computer}; 1 held-out passages, 16 tokens`,
    );
  });
});
