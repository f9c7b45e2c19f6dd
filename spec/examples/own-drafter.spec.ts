import { pagesOf, phraseBook, prove } from '../../examples/own-drafter';
import { finish } from '../../testing/exactness';
import { randomTable, tableModel } from '../../testing/table-model';

describe('examples/own-drafter.ts', () => {
  it('is exact: every path of 75 cases adds up to the target’s distribution', async () => {
    const report = await prove();
    expect(report.message).toMatch(/^exact in 75 cases: total variation at most/);
    expect(report).toMatchObject({ exact: true, cases: 75, counterexample: null });
    expect(report.distance).toBeLessThanOrEqual(1e-12);
  });

  it('saves target calls where the book is right, and the text is the same', async () => {
    const table = { vocabulary: 40, logits: randomTable(40, 3, 'sharp') };
    const run = (drafter: Parameters<typeof finish>[0]['drafter']) =>
      finish({ target: tableModel(table), drafter, source: [1], settings: { maxNewTokens: 12, gamma: 3 } });
    const alone = await run(null);
    const drafted = await run(phraseBook(40, pagesOf([[0, ...alone.ids]])));
    expect(drafted.ids).toEqual(alone.ids);
    expect(drafted.metrics.targetCalls).toBeLessThan(alone.metrics.targetCalls);
  });
});
