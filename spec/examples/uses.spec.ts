import { questionsOf } from '../../examples/doc2query';
import { indexOf, search } from '../../examples/embeddings';
import { correct } from '../../examples/grammar';
import { Tandem } from '../../index';

const VERSES = ['The land had rest forty years.', 'Jesus wept.', 'And he said unto him, Follow me.'];

describe('examples/grammar.ts', () => {
  it('gives the target’s own texts, in their order, with fewer target calls', async () => {
    const [copying, alone] = await Promise.all([
      Tandem.load(undefined, { draft: 'copy', threads: 1 }),
      Tandem.load(undefined, { draft: null, threads: 1 }),
    ]);
    try {
      const { texts, saved } = await correct(copying, VERSES);
      const expected = await alone.generate([...VERSES], {});
      expect(texts).toEqual(expected.map((result) => 'text' in result && result.text));
      expect(new Set(texts).size).toBe(VERSES.length);
      expect(saved).toBeGreaterThan(0);
      expect(saved).toBeLessThan(1);
      expect((await correct(alone, VERSES)).saved).toBe(0);
      expect(await correct(copying, [])).toEqual({ texts: [], saved: 0 });
    } finally {
      await Promise.all([copying.dispose(), alone.dispose()]);
    }
  });

  it('fails with the text that fails', async () => {
    const model = await Tandem.load(undefined, { draft: 'copy', threads: 1, prefix: '' });
    try {
      await expect(correct(model, ['Jesus wept.', ''])).rejects.toThrow(/expected at least one token/);
    } finally {
      await model.dispose();
    }
  });
});

describe('examples/doc2query.ts', () => {
  it('samples different texts, the most frequent first, and the same ones with the same seed', async () => {
    const model = await Tandem.load(undefined, { threads: 1 });
    try {
      const ask = (seed: number) => questionsOf(model, VERSES[0], { count: 6, seed, maxNewTokens: 12 });
      const [first, again, other] = [await ask(1), await ask(1), await ask(2)];
      expect(again).toEqual(first);
      expect(other).not.toEqual(first);
      const times = first.map((question) => question.times);
      expect(times.reduce((sum, one) => sum + one, 0)).toBe(6);
      expect(times).toEqual([...times].sort((a, b) => b - a));
      expect(new Set(first.map(({ text }) => text)).size).toBe(first.length);
    } finally {
      await model.dispose();
    }
  });
});

describe('examples/embeddings.ts', () => {
  it('finds a text by itself, with similarity 1, and orders the others', async () => {
    const model = await Tandem.load(undefined, { draft: null, threads: 1 });
    try {
      const index = await indexOf(model, VERSES);
      for (const verse of VERSES) {
        const [nearest, ...others] = await search(model, index, verse, 3);
        expect(nearest.text).toBe(verse);
        expect(nearest.similarity).toBeCloseTo(1, 5);
        expect(others).toHaveLength(2);
        expect(others[0].similarity).toBeGreaterThanOrEqual(others[1].similarity);
        expect(others[0].similarity).toBeLessThan(nearest.similarity);
      }
      expect(await search(model, index, 'Amen.', 1)).toHaveLength(1);
    } finally {
      await model.dispose();
    }
  });
});
