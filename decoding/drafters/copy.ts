import { chain } from '../proposal';
import { oneHot } from '../sampling/distribution';
import type { Drafter, DraftSession } from './drafter';
import { type Cursor, SuffixAutomaton } from './suffix-automaton';

export interface CopyOptions {
  /** Proposes only when at least this many of the last tokens occur in the source. Default 1. */
  readonly leastMatch?: number;
}

/**
 * Looks up the longest suffix of the output that occurs in the source, and proposes what follows it there. This helps with
 * names, numbers and quotations in translation, and with whole sentences in editing and summarising. It needs no model.
 * Proposals are one-hot distributions, so verification accepts token x with the target's own probability of x.
 */
export function copyDrafter(vocabularySize: number, { leastMatch = 1 }: CopyOptions = {}): Drafter {
  return {
    name: 'copy',
    vocabularySize,
    open: async (source) => session(new SuffixAutomaton(source), vocabularySize, leastMatch),
  };
}

function session(automaton: SuffixAutomaton, vocabularySize: number, leastMatch: number): DraftSession {
  const cursors: Cursor[] = [automaton.cursor()]; // cursors[n] has read n output tokens; the start token is not one of them
  let proposed = 0;
  return {
    get calls() {
      return proposed;
    },
    propose: async ({ ids, gamma, eosTokens, draw }) => {
      for (let i = cursors.length; i < ids.length; i++) cursors.push(automaton.step(cursors[i - 1], ids[i]));
      const match = longestWithSequel(automaton, cursors[cursors.length - 1]);
      if (match.length < leastMatch || match.length === 0) return [];
      const copy = automaton.tokens.slice(automaton.end(match), automaton.end(match) + gamma);
      const end = copy.findIndex((token) => eosTokens.includes(token));
      if (end >= 0) copy.length = end + 1; // nothing follows EOS
      proposed += copy.length;
      return chain(copy.map((token, i) => draw(oneHot(vocabularySize, token), ids.length + i)));
    },
    rewind: (length) => {
      cursors.length = Math.min(cursors.length, Math.max(1, length));
    },
    dispose: () => undefined,
  };
}

/**
 * The longest suffix at the cursor that something follows in the source. A suffix that occurs only at the end of the source has
 * no sequel, but a shorter suffix of it may occur earlier.
 */
function longestWithSequel(automaton: SuffixAutomaton, cursor: Cursor): Cursor {
  let match = cursor;
  while (match.length > 0 && automaton.end(match) === automaton.tokens.length) match = automaton.shorter(match);
  return match;
}
