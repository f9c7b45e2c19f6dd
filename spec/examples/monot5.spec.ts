import { rank } from '../../examples/monot5';
import { Tandem } from '../../index';
import { readUses } from '../support/uses';

interface MonoT5Golden {
  readonly query: string;
  readonly documents: readonly string[];
  readonly relevance: readonly number[];
}

describe('examples/monot5.ts', () => {
  it("ranks documents by Hugging Face's relevance, within 1e-5", async () => {
    const { query, documents, relevance } = readUses<{ monoT5: MonoT5Golden }>('scores').monoT5;
    const model = await Tandem.load(undefined, { draft: null, prefix: '', dtype: 'f32', threads: 1 });
    const ranked = await rank(model, query, documents);
    await model.dispose();
    expect(ranked).toHaveLength(documents.length);
    for (const [i, document] of documents.entries()) {
      const found = ranked.find((one) => one.document === document);
      expect(Math.abs((found?.relevance ?? Number.NaN) - relevance[i])).toBeLessThan(1e-5);
    }
    const order = ranked.map((one) => one.relevance);
    expect(order).toEqual([...order].sort((a, b) => b - a));
  });
});
