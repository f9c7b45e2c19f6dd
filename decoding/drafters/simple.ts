import type { Drafter } from '../drafter';
import { DecodingError } from '../errors';

/** Proposes uniformly at random: the worst draft there is, for tests and for seeing what exactness costs. */
export function randomDrafter(vocabularySize: number): Drafter {
  const probabilities = new Float64Array(vocabularySize).fill(1 / vocabularySize);
  const uniform = { vocabulary: vocabularySize, tokens: null, probabilities };
  return {
    name: 'random',
    vocabularySize,
    open: async () => ({
      calls: 0,
      propose: async ({ ids, gamma, draw }) => Array.from({ length: gamma }, (_, i) => draw(uniform, ids.length + i)),
      rewind: () => undefined,
      release: () => undefined,
    }),
  };
}

/** Takes the proposal of the first drafter that has one: copying before a model, say. Exact, since each brings its own distributions. */
export function firstOf(drafters: readonly Drafter[]): Drafter {
  const sizes = new Set(drafters.map((drafter) => drafter.vocabularySize));
  if (sizes.size !== 1) {
    throw new DecodingError(
      'vocabulary-mismatch',
      `drafters: expected one vocabulary, found sizes ${[...sizes].join(', ') || 'of none'}`,
    );
  }
  return {
    name: drafters.map((drafter) => drafter.name).join('+'),
    vocabularySize: drafters[0].vocabularySize,
    open: async (source, shared) => {
      const sessions = await Promise.all(drafters.map((drafter) => drafter.open(source, shared)));
      return {
        get calls() {
          return sessions.reduce((sum, session) => sum + session.calls, 0);
        },
        propose: async (request) => {
          for (const session of sessions) {
            const proposal = await session.propose(request);
            if (proposal.length > 0) return proposal;
          }
          return [];
        },
        rewind: (length) => {
          for (const session of sessions) session.rewind(length);
        },
        release: () => {
          for (const session of sessions) session.release();
        },
      };
    },
  };
}
