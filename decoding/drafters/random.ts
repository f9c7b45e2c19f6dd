import { chain } from '../proposal';
import type { Drafter } from './drafter';

/** Proposes uniformly at random: the worst draft, for tests and to see what an unhelpful draft costs. */
export function randomDrafter(vocabularySize: number): Drafter {
  const probabilities = new Float64Array(vocabularySize).fill(1 / vocabularySize);
  const uniform = { vocabulary: vocabularySize, tokens: null, probabilities };
  return {
    name: 'random',
    vocabularySize,
    open: async () => ({
      calls: 0,
      propose: async ({ ids, gamma, draw }) =>
        chain(Array.from({ length: gamma }, (_, i) => draw(uniform, ids.length + i))),
      rewind: () => undefined,
      dispose: () => undefined,
    }),
  };
}
