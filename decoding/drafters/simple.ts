import type { Candidate } from '../candidates';
import { type Drafter, type DraftSession, type DraftTurn, proposeAll } from '../drafter';
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
      dispose: () => undefined,
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
    open: async (source, shared) =>
      new FirstSession(await Promise.all(drafters.map((drafter) => drafter.open(source, shared)))),
    proposeAll: async (turns) => {
      const trees: Candidate[][] = turns.map(() => []);
      for (const [i, drafter] of drafters.entries()) {
        const open: (DraftTurn & { turn: number })[] = [];
        for (const [turn, { session, request }] of turns.entries()) {
          if (trees[turn].length === 0) open.push({ turn, session: (session as FirstSession).sessions[i], request });
        }
        if (open.length === 0) break;
        const found = await proposeAll(drafter, open);
        for (const [j, { turn }] of open.entries()) {
          trees[turn] = found[j];
          if (found[j].length > 0) (turns[turn].session as FirstSession).proposer = i;
        }
      }
      return trees;
    },
  };
}

/** Sessions of several drafters along one sequence. */
class FirstSession implements DraftSession {
  /** Index of the one that proposed last: a path through its tree means nothing to the others. */
  proposer = -1;

  constructor(readonly sessions: readonly DraftSession[]) {}

  get calls(): number {
    return this.sessions.reduce((sum, session) => sum + session.calls, 0);
  }

  async propose(request: Parameters<DraftSession['propose']>[0]): ReturnType<DraftSession['propose']> {
    for (const [i, session] of this.sessions.entries()) {
      const proposal = await session.propose(request);
      this.proposer = i;
      if (proposal.length > 0) return proposal;
    }
    return [];
  }

  rewind(length: number, path?: readonly number[]): void {
    for (const [i, session] of this.sessions.entries()) session.rewind(length, i === this.proposer ? path : undefined);
  }

  dispose(): void {
    for (const session of this.sessions) session.dispose();
  }
}
