import { DecodingError } from '../errors';
import type { Proposal } from '../proposal';
import { type Drafter, type DraftRequest, type DraftSession, type DraftTurn, proposeAll, proposeEach } from './drafter';

/**
 * Takes the proposal of the first drafter that has one, for example copying before a model. It is exact, because every
 * proposal brings the distributions that it was drawn from.
 *
 * @throws DecodingError `vocabulary-mismatch`
 */
export function firstOf(drafters: readonly Drafter[]): Drafter {
  const sizes = new Set(drafters.map((drafter) => drafter.vocabularySize));
  if (sizes.size !== 1) {
    throw new DecodingError(
      'vocabulary-mismatch',
      `drafters: expected one vocabulary size, found ${[...sizes].join(', ') || 'no drafter'}`,
    );
  }
  return {
    name: drafters.map((drafter) => drafter.name).join('+'),
    vocabularySize: drafters[0].vocabularySize,
    open: async (source, encoded, signal) => {
      const sessions: DraftSession[] = [];
      try {
        for (const drafter of drafters) sessions.push(await drafter.open(source, encoded, signal));
      } catch (error) {
        for (const session of sessions) session.dispose();
        throw error;
      }
      return new FirstSession(sessions);
    },
    proposeAll: async (turns) => {
      if (!turns.every(({ session }) => session instanceof FirstSession)) return proposeEach(turns); // wrapped by a caller
      const proposals: Proposal[] = turns.map(() => []);
      for (const [i, drafter] of drafters.entries()) {
        const waiting: (DraftTurn & { turn: number })[] = [];
        for (const [turn, { session, request }] of turns.entries()) {
          if (proposals[turn].length > 0) continue;
          waiting.push({ turn, session: (session as FirstSession).sessions[i], request });
        }
        if (waiting.length === 0) break;
        const found = await proposeAll(drafter, waiting);
        for (const [j, { turn }] of waiting.entries()) {
          proposals[turn] = found[j];
          if (found[j].length > 0) (turns[turn].session as FirstSession).proposer = i;
        }
      }
      return proposals;
    },
  };
}

/** The sessions of several drafters along one sequence. */
class FirstSession implements DraftSession {
  /** Index of the session that proposed last. A path through its proposal means nothing to the others. */
  proposer = -1;

  constructor(readonly sessions: readonly DraftSession[]) {}

  get calls(): number {
    return this.sessions.reduce((sum, session) => sum + session.calls, 0);
  }

  async propose(request: DraftRequest): Promise<Proposal> {
    for (const [i, session] of this.sessions.entries()) {
      const proposal = await session.propose(request);
      this.proposer = i;
      if (proposal.length > 0) return proposal;
    }
    return [];
  }

  rewind(length: number, path: readonly number[]): void {
    for (const [i, session] of this.sessions.entries()) session.rewind(length, i === this.proposer ? path : []);
  }

  dispose(): void {
    for (const session of this.sessions) session.dispose();
  }
}
