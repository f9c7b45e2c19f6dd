import { oneHot } from '../distribution';
import type { Drafter, DraftSession } from '../drafter';
import { type Cursor, SuffixAutomaton } from './suffix-automaton';

export interface CopyOptions {
  /** Proposes only after this many matching tokens. Default 1. */
  readonly leastMatch?: number;
}

/**
 * Copies what follows, in the source, the longest suffix of the output that occurs there: names, numbers and quotations in
 * translation, whole sentences in editing and summarising. Costs no model; proposals are certain (one-hot), so verification
 * keeps token x with the target's own probability of it.
 */
export function copyDrafter(vocabularySize: number, { leastMatch = 1 }: CopyOptions = {}): Drafter {
  return {
    name: 'copy',
    vocabularySize,
    open: async (source) => session(new SuffixAutomaton(source), vocabularySize, leastMatch),
  };
}

function session(automaton: SuffixAutomaton, vocabularySize: number, leastMatch: number): DraftSession {
  const cursors: Cursor[] = [automaton.cursor()]; // after 0, 1, … output tokens; the start token is none
  let proposed = 0;
  return {
    get calls() {
      return proposed;
    },
    propose: async ({ ids, gamma, eosTokens, draw }) => {
      for (let i = cursors.length; i < ids.length; i++) cursors.push(automaton.step(cursors[i - 1], ids[i]));
      const found = followed(automaton, cursors[cursors.length - 1]);
      if (found.length < leastMatch || found.length === 0) return [];
      const copy = automaton.tokens.slice(automaton.end(found), automaton.end(found) + gamma);
      const end = copy.findIndex((token) => eosTokens.includes(token));
      if (end >= 0) copy.length = end + 1; // nothing follows
      proposed += copy.length;
      return copy.map((token, i) => draw(oneHot(vocabularySize, token), ids.length + i));
    },
    rewind: (length) => {
      cursors.length = Math.min(cursors.length, Math.max(1, length));
    },
    dispose: () => undefined,
  };
}

/** The longest suffix at or below a cursor that something follows: one that ends the source may occur earlier, shorter. */
function followed(automaton: SuffixAutomaton, cursor: Cursor): Cursor {
  let found = cursor;
  while (found.length > 0 && automaton.end(found) === automaton.tokens.length) found = automaton.shorter(found);
  return found;
}
