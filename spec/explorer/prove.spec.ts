import { treeOf } from '../../explorer/panels/prove/tree';
import { WRONG } from '../../explorer/panels/prove/wrong';
import { type Proof, prove, sampleTexts, WRONG_SAMPLERS } from '../../explorer/proof/prove';

const REQUEST = { wrong: null, tables: 3, gamma: 1, length: 2 };

/** Total variation between counts and the target. */
function distance(counts: Readonly<Record<string, number>>, { texts }: Proof, drawn: number): number {
  return texts.reduce((sum, { text, target }) => sum + Math.abs((counts[text] ?? 0) / drawn - target), 0) / 2;
}

describe('what the panel Prove shows', () => {
  test.each([1, 2, 3, 4])('the sampler that ships is exact (total variation ≤ 1e-12): models %i', async (tables) => {
    const { distance, texts, paths } = await prove({ ...REQUEST, tables });
    expect(distance).toBeLessThanOrEqual(1e-12);
    expect(texts).toHaveLength(9);
    expect(paths.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
  });

  test.each(WRONG.map(({ name }) => name))('bends the bars of its first models: %s', async (wrong) => {
    expect(WRONG_SAMPLERS).toContain(wrong);
    expect((await prove({ ...REQUEST, wrong })).distance).toBeGreaterThan(1e-3);
  });

  test('the tree holds every path: each text’s rectangles are as wide as its bar, and nothing overlaps', async () => {
    const { paths, texts } = await prove(REQUEST);
    const nodes = treeOf(paths, (text) => texts.findIndex((one) => one.text === text));
    const leaves = nodes.filter(({ kind }) => kind === 'text');
    expect(leaves).toHaveLength(paths.length);
    for (const [i, { sampler }] of texts.entries()) {
      const width = leaves.filter(({ text }) => text === i).reduce((sum, { from, to }) => sum + to - from, 0);
      expect(width).toBeCloseTo(sampler, 12);
    }
    for (const depth of new Set(nodes.map((node) => node.depth))) {
      const level = nodes.filter((node) => node.depth === depth).sort((a, b) => a.from - b.from);
      for (const [i, { to }] of level.entries()) expect(level[i + 1]?.from ?? 1).toBeGreaterThanOrEqual(to - 1e-12);
    }
  });

  test('samples come near the target, and those of a wrong sampler near its own bars', async () => {
    const samples = 3000;
    const sampled = async (wrong: string | null) => {
      const request = { ...REQUEST, wrong };
      const counts = await sampleTexts(
        { ...request, samples, firstSeed: 0 },
        new AbortController().signal,
        async () => undefined,
      );
      return distance(counts, await prove(request), samples);
    };
    expect(await sampled(null)).toBeLessThan(0.03); // chance alone: 0.018
    expect(await sampled('accepts every draft token')).toBeGreaterThan(0.08);
    expect(await sampled('uses one number to propose and to accept')).toBeGreaterThan(0.03);
  });
});
